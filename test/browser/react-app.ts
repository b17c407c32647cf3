import { createElement, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useHerald, useHeraldState } from '../../client/lib/adapters/react.js';
import { createHeraldClient } from '../../client/lib/index.js';

const client = createHeraldClient({ share: 'none', closeDelay: 0 });

/** Shows the state and the last message of a topic, which a click changes. */
function App() {
  const [topic, setTopic] = useState('urn:a');
  const [texts, setTexts] = useState<readonly string[]>([]);
  const state = useHeraldState(client);
  // A new function with each render: the hook must call the last one, and keep its subscription.
  useHerald(client, topic, ({ text }) => setTexts((before) => [...before, `${topic} ${text}`]));
  const onClick = (): void => setTopic('urn:b');
  return createElement('button', { onClick, 'data-state': state }, texts.join(', '));
}

const root = createRoot(document.body);
root.render(createElement(StrictMode, undefined, createElement(App)));
Object.assign(globalThis, { unmount: () => root.unmount(), client });
