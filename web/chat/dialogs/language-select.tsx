import { type Language, LANGUAGES } from '../../model/chat/preferences.js';
import { useChat } from '../context.js';

export function LanguageSelect() {
  const { preferences, t } = useChat();
  return (
    <label class="select">
      {t.settings.language}{' '}
      <select
        class="input"
        value={preferences.language.value}
        onChange={({ currentTarget }) =>
          (preferences.language.value = currentTarget.value as Language)
        }
      >
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
