/** Profile, devices, colours, language, notifications and password. */
import { useEffect, useState } from 'preact/hooks';
import { Button } from '../../kit/inputs/button.js';
import { ErrorLine } from '../../kit/inputs/error-line.js';
import { Field } from '../../kit/inputs/field.js';
import type { Theme } from '../../model/chat/preferences.js';
import { troubleOf } from '../../model/trouble.js';
import { useChat } from '../context.js';
import { LanguageSelect } from './language-select.js';
import { ReceiptLine } from '../room/receipt-line.js';
import { ago, exact } from '../times.js';

export function Settings() {
  const chat = useChat();
  const t = chat.t.settings;
  const isGuest = chat.me.value?.role === 'guest';
  return (
    <div class="settings">
      {isGuest ? null : <Profile />}
      <Devices />
      <section>
        <h3>{t.appearance}</h3>
        <label class="select">
          {t.theme}{' '}
          <select
            class="input"
            value={chat.preferences.theme.value}
            onChange={({ currentTarget }) =>
              (chat.preferences.theme.value = currentTarget.value as Theme)
            }
          >
            {Object.entries(t.themes).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <LanguageSelect />
      </section>
      <Notifications />
      {isGuest ? null : <Password />}
    </div>
  );
}

function Profile() {
  const chat = useChat();
  const t = chat.t.settings;
  const me = chat.me.value;
  const [name, setName] = useState(me?.name ?? '');
  const [status, setStatus] = useState(me?.status ?? '');
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        chat.attempt(async () => {
          const fields = { name: name.trim(), status: status.trim() === '' ? null : status.trim() };
          chat.session.adopt(await chat.client.api.updateMe(fields));
          chat.tell(t.saved);
        });
      }}
    >
      <h3>{t.profile}</h3>
      <Field label={t.name} value={name} onInput={setName} maxLength={100} required />
      <Field
        label={t.status}
        hint={t.statusHint}
        value={status}
        onInput={setStatus}
        maxLength={140}
      />
      <button type="submit" class="button">
        {chat.t.save}
      </button>
    </form>
  );
}

function Devices() {
  const chat = useChat();
  const t = chat.t.settings;
  const { devices } = chat;
  const { locale } = chat.t;
  const list = devices.list.value;
  const receipt = devices.receipt.value;
  useEffect(() => {
    devices.receipt.value = null;
    void devices.load();
  }, []);
  return (
    <section>
      <h3>{t.devices}</h3>
      {list === null ? <p class="blank small">{chat.t.loading}</p> : null}
      <ul class="devices">
        {list?.map(({ id, device, current, last_active_at: at }) => (
          <li key={id}>
            <span class="head-text">
              <span>{device ?? t.device}</span>
              <small class="soft" title={exact(at, locale)}>
                {current ? `● ${t.thisDevice}` : t.lastActive(ago(at, locale))}
              </small>
            </span>
            {current ? null : (
              <Button
                busy={devices.isBusy.value}
                label={`${t.end}: ${device ?? t.device}`}
                onClick={() => void devices.end(id)}
              >
                {t.end}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <ErrorLine text={devices.refused.value === null ? null : chat.why(devices.refused.value)} />
      {receipt === null ? null : (
        <ReceiptLine receipt={receipt} text={t.ended(receipt.sessions, receipt.ms)} />
      )}
      {list !== null && list.length > 1 ? (
        <Button busy={devices.isBusy.value} onClick={() => void devices.endOthers()}>
          {t.endOthers}
        </Button>
      ) : null}
      {list?.length === 1 ? <p class="hint">{t.noOthers}</p> : null}
    </section>
  );
}

function Notifications() {
  const { preferences, t } = useChat();
  const isThere = 'Notification' in globalThis;
  const turn = async (isOn: boolean) => {
    if (isOn) await Notification.requestPermission();
    preferences.notify.value = isOn && Notification.permission === 'granted';
  };
  const isDenied = !isThere || Notification.permission === 'denied';
  return (
    <section>
      <h3>{t.settings.notifications}</h3>
      <label class="check">
        <input
          type="checkbox"
          checked={preferences.notify.value && !isDenied}
          disabled={isDenied}
          onChange={({ currentTarget }) => void turn(currentTarget.checked)}
        />{' '}
        {t.settings.notificationsOn}
      </label>
      <p class="hint">{isDenied ? t.settings.notificationsDenied : t.settings.notificationsHint}</p>
    </section>
  );
}

function Password() {
  const chat = useChat();
  const t = chat.t.settings;
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [refused, setRefused] = useState<string | null>(null);
  const change = async () => {
    setRefused(null);
    try {
      await chat.client.api.changePassword({ current, new: next });
      setCurrent('');
      setNext('');
      chat.tell(t.changed);
    } catch (thrown) {
      setRefused(chat.why(troubleOf(thrown).code));
    }
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void change();
      }}
    >
      <h3>{t.password}</h3>
      <Field
        label={t.current}
        type="password"
        autocomplete="current-password"
        value={current}
        onInput={setCurrent}
        required
      />
      <Field
        label={chat.t.signIn.newPassword}
        hint={chat.t.signIn.passwordRule}
        type="password"
        autocomplete="new-password"
        value={next}
        onInput={setNext}
        error={refused}
        required
      />
      <button type="submit" class="button">
        {t.change}
      </button>
    </form>
  );
}
