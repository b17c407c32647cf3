import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CertificateReloader } from './certificate.js';
import { GracefulShutdown } from './graceful-shutdown.js';
import { Http2Liveness } from './http2-liveness.js';
import { ProblemFilter } from './http/problem.filter.js';

/** What applies to every HTTP request, whichever module answers it. */
@Module({
  providers: [CertificateReloader, GracefulShutdown, Http2Liveness, { provide: APP_FILTER, useClass: ProblemFilter }],
})
export class ServerModule {}
