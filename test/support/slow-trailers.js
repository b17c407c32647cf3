import http2 from 'node:http2';

// Loaded into the service before it starts (`node --import`): it takes long over the end of each answer of HTTP/2, as a
// service that has too much to do. What its clients have sent meanwhile is read before the last frame is written.

/** Milliseconds. */
const TAKEN = 50;

const { prototype: answers } = http2.Http2ServerResponse;
const endAtOnce = Reflect.get(answers, 'end');
let isSlow = false;

function slowDown(stream) {
  let prototype = Object.getPrototypeOf(stream);
  while (!Object.hasOwn(prototype, 'sendTrailers')) prototype = Object.getPrototypeOf(prototype);
  const sendTrailers = Reflect.get(prototype, 'sendTrailers');
  prototype.sendTrailers = function sendSlowly(...given) {
    sendTrailers.apply(this, given);
    for (const until = performance.now() + TAKEN; performance.now() < until;);
  };
  isSlow = true;
}

answers.end = function endSlowly(...given) {
  if (!isSlow) slowDown(this.stream);
  return endAtOnce.apply(this, given);
};
