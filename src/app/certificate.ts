import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext, type Server } from 'node:tls';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CONFIG } from '../config/config.module.js';
import type { Config, TlsFiles } from '../config/config.js';

/**
 * Milliseconds between two checks of the files. Their modification times are polled because file events miss a mounted
 * secret whose symbolic link moves.
 */
const LOOK_EVERY = 1_000;

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export function readCertificate({ certFile, keyFile }: TlsFiles): Certificate {
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

/**
 * Uses a renewed certificate for new connections as soon as its files change. Open connections, and so all streams,
 * keep the certificate they began with. A certificate and a key that do not match, such as half-written files, are not
 * used.
 */
@Injectable()
export class CertificateReloader implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(CertificateReloader.name);
  private readonly files: TlsFiles | undefined;
  private readonly onFileChange = (): void => this.reload();

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly host: HttpAdapterHost,
  ) {
    this.files = config.server.tls;
  }

  onApplicationBootstrap(): void {
    for (const path of this.paths()) watchFile(path, { interval: LOOK_EVERY, persistent: false }, this.onFileChange);
  }

  onModuleDestroy(): void {
    for (const path of this.paths()) unwatchFile(path, this.onFileChange);
  }

  /** Reads the files, if the service speaks TLS. */
  reload(): void {
    if (!this.files) return;
    try {
      const certificate = readCertificate(this.files);
      createSecureContext(certificate);
      (this.host.httpAdapter.getHttpServer() as Server).setSecureContext(certificate);
      this.logger.log('certificate reloaded');
    } catch (error) {
      this.logger.warn(`the changed certificate is not usable, the old one stays: ${(error as Error).message}`);
    }
  }

  private paths(): string[] {
    return this.files ? [this.files.certFile, this.files.keyFile] : [];
  }
}
