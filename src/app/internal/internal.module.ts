import { Module } from '@nestjs/common';
import { InternalListener } from './internal-listener.js';

/** The listener for operators. */
@Module({ providers: [InternalListener] })
export class InternalModule {}
