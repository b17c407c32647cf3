import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CertificateReloader } from './certificate.js';
import { HeraldGracefulEndModule } from '../herald/graceful-end/index.js';
import { HubErrorFilter } from '../herald/index.js';
import { ProblemFilter } from './http/problem.filter.js';

/** What applies to every HTTP request, whichever module answers it. */
@Module({
  imports: [HeraldGracefulEndModule.forRoot()],
  providers: [
    CertificateReloader,
    // Nest asks the last one first, which is for the hub's guards on routes of the service's own.
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_FILTER, useClass: HubErrorFilter },
  ],
})
export class ServerModule {}
