import { Module } from '@nestjs/common';
import { LoggedIn } from './logged-in.guard.js';
import { SessionController } from './session.controller.js';
import { Sessions } from './sessions.js';

@Module({ controllers: [SessionController], providers: [Sessions, LoggedIn], exports: [Sessions, LoggedIn] })
export class SessionsModule {}
