import { createHeraldClient } from 'herald-hub-client';
import { HeraldProvider, useLatest } from 'herald-hub-client/react';
import { createRoot } from 'react-dom/client';

const client = createHeraldClient();

const TOPICS = ['north', 'south', 'west'].map((name) => `urn:machine:${name}`);

/** The page begins with the newest state, and is told of changes twice a second at most, however often there are some. */
const OPTIONS = { begin: 'latest', maxRate: 2 };

function Machines() {
  const { byTopic } = useLatest(TOPICS, OPTIONS);
  return (
    <table>
      <tbody>
        {TOPICS.flatMap((topic) => byTopic.get(topic) ?? []).map(({ topic, data }) => (
          <tr key={topic} data-name={data.name} data-count={data.count}>
            <th>{data.name}</th>
            <td>{data.load} %</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

createRoot(document.getElementById('root')).render(
  <HeraldProvider client={client}>
    <Machines />
  </HeraldProvider>,
);
