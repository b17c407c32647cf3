import { describeClients } from './contract.js';
import { NODE_CLIENTS } from './node-clients.js';

describeClients(NODE_CLIENTS);
