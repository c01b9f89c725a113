/** People of the workspace by the beginning of a name. */
import { useEffect, useState } from 'preact/hooks';
import type { PersonView } from '@wardroom/client';
import { Field } from '../../kit/inputs/field.js';
import { moveFocus } from '../../kit/roving.js';
import { Avatar } from '../avatar.js';
import { useChat } from '../context.js';

const WAIT_MS = 150;

/** The people whose name begins so; the ones before while they are asked for. */
export function usePeopleBy(query: string): readonly PersonView[] {
  const { client, me } = useChat();
  const [people, setPeople] = useState<readonly PersonView[]>([]);
  useEffect(() => {
    let isWanted = true;
    const q = query.trim();
    const timer = setTimeout(() => {
      void client.api.users.list({ limit: 20, ...(q !== '' && { q }) }).then(
        ({ items }) => isWanted && setPeople(items.filter(({ id }) => id !== me.value?.user_id)),
        // Guests have no list of people.
        () => isWanted && setPeople([]),
      );
    }, WAIT_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [query]);
  return people;
}

export function PersonPicker(props: { label: string; onPick: (person: PersonView) => void }) {
  const [query, setQuery] = useState('');
  const people = usePeopleBy(query).filter(({ state }) => state === 'active');
  return (
    <div class="picker" onKeyDown={(event) => void moveFocus(event, '.input, .pick')}>
      <Field label={props.label} type="search" value={query} onInput={setQuery} />
      <ul>
        {people.slice(0, 8).map((person) => (
          <li key={person.id}>
            <button type="button" class="pick" tabIndex={-1} onClick={() => props.onPick(person)}>
              <Avatar name={person.name} />
              <span>{person.name}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
