/** `herald-nest/administration`: the routes for a hub's administrators. */
export { HeraldAdministrationModule, type HeraldAdministrationOptions } from './administration.module.js';
export { type AroundHub, HubAdminGuard } from '../module/hub-parts.js';
