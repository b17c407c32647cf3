import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller.js';
import { Processes } from './processes.js';

/** What administrators can see and do. */
@Module({ controllers: [AdminController], providers: [Processes] })
export class AdminModule {}
