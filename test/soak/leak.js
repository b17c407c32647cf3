// Loaded into the service, it forgets to let go of something: a soak has to find it.
const kept = [];

setInterval(() => {
  kept.push(Array.from({ length: 6_000 }, (_, index) => ({ index })));
}, 50).unref();
