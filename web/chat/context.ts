import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Chat } from '../model/chat/chat.js';

export const ChatContext = createContext<Chat | null>(null);

export const useChat = (): Chat => useContext(ChatContext)!;
