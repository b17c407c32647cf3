import { expect, it } from '@jest/globals';
import { HeraldFilesModule } from './herald-files.module.js';

it.each([
  ['path', 'push'],
  ['path', '/'],
  ['path', '/herald/'],
  ['path', '/herald/:file'],
  ['consolePath', '/*path'],
  ['hubPath', '//evil.example/hub'],
  ['hubPath', 'https://evil.example/hub'],
  ['hubPath', '/hub"><script>'],
  ['hubPath', '/hub?x=1'],
  ['adminPath', 'javascript:alert(1)'],
  ['adminPath', ''],
])('the option %s can not be %s, which is said when the module is made', (name, path) => {
  const make = (): unknown => HeraldFilesModule.forRoot({ [name]: path });
  expect(make).toThrow(`option ${name} must be a path`);
  if (path.length > 1) expect(make).not.toThrow(path);
});
