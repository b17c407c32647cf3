import { Logger } from '@nestjs/common';

const logger = new Logger('Journal');

/**
 * The same listener, from which nothing is ever thrown: what it throws is logged. A journal calls it in the middle of its
 * own work, and what is stored is stored whatever a listener makes of it.
 */
export function guardListener<Argument>(listener: (argument: Argument) => void): (argument: Argument) => void {
  return (argument) => {
    try {
      listener(argument);
    } catch (err) {
      logger.error({ msg: 'a listener to the journal failed', err });
    }
  };
}
