import { Logger } from '@nestjs/common';

const logger = new Logger('Journal');

/**
 * Wraps a listener so that whatever it throws is logged and not passed on. A journal calls its listeners in the middle
 * of its own work, and an update stays stored even if a listener fails.
 */
export function guardListener<Argument>(listener: (argument: Argument) => void): (argument: Argument) => void {
  return (argument) => {
    try {
      listener(argument);
    } catch (err) {
      logger.error({ msg: 'a listener to the journal threw an error', err });
    }
  };
}
