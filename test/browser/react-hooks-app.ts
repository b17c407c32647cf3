import { createElement as element, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  HeraldProvider,
  useHerald,
  useHeraldClient,
  useHeraldState,
  useHistory,
  useLatest,
  useSubscription,
} from '../../client/lib/adapters/react.js';

/** What the test does to the components. */
const acts: Record<string, (value: never) => void> = {};

/** Whatever was shown of the subscription, one after the other. */
const history: string[] = [];

/** The last message of a topic, which the test changes and switches off, and each message that a handler got. */
function Last() {
  const [topic, setTopic] = useState('urn:a');
  const [enabled, setEnabled] = useState(true);
  const [texts, setTexts] = useState<readonly string[]>([]);
  Object.assign(acts, { setTopic, setEnabled });
  const { data, message, status, error } = useSubscription<number>(topic, { enabled });
  useHerald(useHeraldClient(), topic, ({ text }) => setTexts((before) => [...before, text]));
  const shown = `${topic} ${status} ${data} ${message?.text} ${error?.code}`;
  history.push(shown);
  return element('p', { id: 'last', 'data-state': useHeraldState() }, shown, element('q', {}, texts.join(' ')));
}

/** The newest message of each room. */
function Rooms() {
  const { byTopic, status } = useLatest<number>([{ pattern: 'https://example.com/rooms/:id' }]);
  const rooms = [...byTopic.values()].map(({ topic, data }) => `${topic.split('/').at(-1)}=${data}`);
  return element('p', { id: 'rooms' }, [status, ...rooms.toSorted()].join(' '));
}

function Past() {
  const { messages, status, hasMore, loadMore } = useHistory('urn:past', { limit: 2 });
  const shown = [status, hasMore, ...messages.map(({ text }) => text)].join(' ');
  return element('button', { id: 'past', onClick: () => void loadMore() }, shown);
}

const app = element(HeraldProvider, { options: { share: 'none', closeDelay: 0 } }, [
  element(Last, { key: 1 }),
  element(Rooms, { key: 2 }),
  element(Past, { key: 3 }),
]);
const root = createRoot(document.body);
root.render(element(StrictMode, undefined, app));
Object.assign(globalThis, { acts, shown: history, unmount: () => root.unmount() });
