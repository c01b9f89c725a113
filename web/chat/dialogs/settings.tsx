/** Profile, devices, colours, language, notifications and password. */
import { useEffect, useState } from 'preact/hooks';
import { Select } from '../../kit/data/select.js';
import { Button } from '../../kit/inputs/button.js';
import { Check } from '../../kit/inputs/check.js';
import { ErrorLine } from '../../kit/inputs/error-line.js';
import { Field } from '../../kit/inputs/field.js';
import type { Theme } from '../../model/chat/preferences.js';
import { useChat } from '../context.js';
import { Form } from './form.js';
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
        <Select
          label={t.theme}
          value={chat.preferences.theme.value}
          options={Object.entries(t.themes)}
          onChange={(value) => (chat.preferences.theme.value = value as Theme)}
        />
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
  const save = async () => {
    const fields = { name: name.trim(), status: status.trim() === '' ? null : status.trim() };
    chat.session.adopt(await chat.client.api.updateMe(fields));
    chat.tell(t.saved);
  };
  return (
    <Form submit={chat.t.save} run={save}>
      <h3>{t.profile}</h3>
      <Field label={t.name} value={name} onInput={setName} maxLength={100} required />
      <Field
        label={t.status}
        hint={t.statusHint}
        value={status}
        onInput={setStatus}
        maxLength={140}
      />
    </Form>
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
      <Check
        label={t.settings.notificationsOn}
        checked={preferences.notify.value && !isDenied}
        disabled={isDenied}
        onChange={(isOn) => void turn(isOn)}
      />
      <p class="hint">{isDenied ? t.settings.notificationsDenied : t.settings.notificationsHint}</p>
    </section>
  );
}

function Password() {
  const chat = useChat();
  const t = chat.t.settings;
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = async () => {
    await chat.client.api.changePassword({ current, new: next });
    setCurrent('');
    setNext('');
    chat.tell(t.changed);
  };
  return (
    <Form submit={t.change} run={change}>
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
        required
      />
    </Form>
  );
}
