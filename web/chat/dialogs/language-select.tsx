import { Select } from '../../kit/data/select.js';
import { type Language, LANGUAGES } from '../../model/chat/preferences.js';
import { useChat } from '../context.js';

export function LanguageSelect() {
  const { preferences, t } = useChat();
  return (
    <Select
      label={t.settings.language}
      value={preferences.language.value}
      options={Object.entries(LANGUAGES)}
      onChange={(value) => (preferences.language.value = value as Language)}
    />
  );
}
