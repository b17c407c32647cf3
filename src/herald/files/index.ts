export { HeraldFilesModule, type HeraldFilesOptions } from './herald-files.module.js';
