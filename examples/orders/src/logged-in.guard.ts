import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common';
import { Sessions } from './sessions.js';

/** The application's own guard. It stands before the hub's routes too. */
@Injectable()
export class LoggedIn implements CanActivate {
  constructor(private readonly sessions: Sessions) {}

  canActivate(context: ExecutionContext): boolean {
    if (this.sessions.nameOf(context.switchToHttp().getRequest()) !== undefined) return true;
    throw new UnauthorizedException('Log in first.');
  }
}
