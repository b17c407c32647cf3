import { Module } from '@nestjs/common';
import { DeveloperTokensController } from './developer-tokens.controller.js';

/** Taken in only where the service has made its keys up: not in production, nor with keys that somebody has set. */
@Module({ controllers: [DeveloperTokensController] })
export class DeveloperModule {}
