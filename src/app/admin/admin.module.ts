import { Module } from '@nestjs/common';
import { HeraldAdmin } from '../../herald/admin/herald-admin.js';
import { AdminController } from './admin.controller.js';
import { DrainController } from './drain.controller.js';
import { ExplainController } from './explain.controller.js';
import { Processes } from './processes.js';
import { UpdatesController } from './updates.controller.js';

/** What administrators can see and do. */
@Module({
  controllers: [AdminController, UpdatesController, ExplainController, DrainController],
  providers: [Processes, HeraldAdmin],
})
export class AdminModule {}
