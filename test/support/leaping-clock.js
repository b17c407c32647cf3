// Loaded into the service before it starts (`node --import`): sets the time of day forward or back by as many milliseconds
// as the test says, and tells it when that is done. The monotonic clock goes on, as it does where somebody sets the clock.
const RealDate = Date;
const now = Date.now.bind(Date);
let leap = Number(process.env.CLOCK_LEAP ?? 0);

globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length === 0 ? [now() + leap] : given));
  }

  static now() {
    return now() + leap;
  }
};

process.on('message', (milliseconds) => {
  leap = milliseconds;
  process.send?.('set');
});
process.channel?.unref();
