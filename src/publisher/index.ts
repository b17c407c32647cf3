export { Publisher, type PublisherOptions, type PublishedUpdate } from './publisher.js';
export { PublishError } from './publish-error.js';
