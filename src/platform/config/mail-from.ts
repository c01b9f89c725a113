/** The sender of mails: an address, or `Name <address>`, in one line. */
import * as z from 'zod';
import { emailForm } from '../email.js';

const NAMED = /^([^<>\p{Cc}]{0,100})<([^<>\s]{1,254})>$/u;

export const mailFrom = z
  .string()
  .max(400)
  .refine((text) => emailForm(NAMED.exec(text)?.[2] ?? text) !== null, {
    message: 'an address, or `Name <address>`',
  });
