import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller.js';

/** What administrators can see and do. */
@Module({ controllers: [AdminController] })
export class AdminModule {}
