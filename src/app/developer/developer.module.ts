import { Module } from '@nestjs/common';
import { DeveloperTokensController } from './developer-tokens.controller.js';

/** Imported only where the service has generated its keys: never in production, nor where somebody has set keys. */
@Module({ controllers: [DeveloperTokensController] })
export class DeveloperModule {}
