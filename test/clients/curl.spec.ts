import { curl, describeWith } from '../support/programs.js';
import { describeClients } from './contract.js';
import { curlAt } from './curl.js';

describeWith(curl, 'from a shell', (path) => describeClients([curlAt(path)]));
