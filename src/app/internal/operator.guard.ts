import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AdminGuard } from '../../auth/tokens/admin.guard.js';
import { isInternal } from './internal-requests.js';

/** Lets in whoever comes by the internal listener, and administrators. */
@Injectable()
export class OperatorGuard implements CanActivate {
  constructor(private readonly administrators: AdminGuard) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    return isInternal(raw) || this.administrators.canActivate(context);
  }
}
