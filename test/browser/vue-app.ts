import { createApp, defineComponent, h, ref } from 'vue';
import {
  heraldPlugin,
  useHerald,
  useHeraldClient,
  useHeraldState,
  useHistory,
  useLatest,
  useSubscription,
} from '../../client/lib/adapters/vue.js';

const topic = ref('urn:a');
const enabled = ref(true);

/** Whatever was shown of the subscription, one after the other. */
const history: string[] = [];

/** The last message of a topic, which the test changes and switches off, and each message that a handler got. */
const Last = defineComponent(() => {
  const texts = ref<string[]>([]);
  const { data, message, status, error } = useSubscription<number>(topic, { enabled });
  const state = useHeraldState();
  useHerald(useHeraldClient(), topic, ({ text }) => texts.value.push(text));
  return () => {
    const shown = `${topic.value} ${status.value} ${data.value} ${message.value?.text} ${error.value?.code}`;
    history.push(shown);
    return h('p', { id: 'last', 'data-state': state.value }, [shown, h('q', texts.value.join(' '))]);
  };
});

/** The newest message of each room. */
const Rooms = defineComponent(() => {
  const { byTopic, status } = useLatest<number>([{ pattern: 'https://example.com/rooms/:id' }]);
  return () => {
    const rooms = [...byTopic.value.values()].map((message) => `${message.topic.split('/').at(-1)}=${message.data}`);
    return h('p', { id: 'rooms' }, [status.value, ...rooms.toSorted()].join(' '));
  };
});

const Past = defineComponent(() => {
  const { messages, status, hasMore, loadMore } = useHistory('urn:past', { limit: 2 });
  return () => {
    const shown = [status.value, hasMore.value, ...messages.value.map(({ text }) => text)].join(' ');
    return h('button', { id: 'past', onClick: () => void loadMore() }, shown);
  };
});

const app = createApp(() => [h(Last), h(Rooms), h(Past)]);
app.use(heraldPlugin, { share: 'none', closeDelay: 0 });
app.mount(document.body);
const acts = {
  setTopic: (value: string): void => void (topic.value = value),
  setEnabled: (value: boolean): void => void (enabled.value = value),
};
Object.assign(globalThis, { acts, shown: history, unmount: () => app.unmount() });
