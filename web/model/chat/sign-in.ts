/** The page before anybody is signed in: which form it shows, and why the last try was refused. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { troubleOf } from '../trouble.js';
import type { CookieSession } from '../cookie-session.js';
import type { Link } from './address.js';
import type { Area } from './room/drafts.js';

export type SignInForm = 'sign_in' | 'register' | 'forgot' | 'forgot_done' | 'reset' | 'reset_done';

const TENANT = 'wardroom.chat.tenant';

export class SignIn {
  readonly form = signal<SignInForm>('sign_in');
  readonly tenant = signal('');
  readonly email = signal('');
  readonly password = signal('');
  readonly name = signal('');
  readonly isBusy = signal(false);
  /** A code. */
  readonly refused = signal<string | null>(null);
  /** The fields that the server refused. */
  readonly wrong = signal<ReadonlySet<string>>(new Set());
  readonly #link = signal<Link | null>(null);
  /** An invitation into a room is accepted once somebody is signed in. */
  readonly hasInvite: ReadonlySignal<boolean> = computed(() => this.#link.value?.kind === 'invite');

  constructor(
    private readonly session: CookieSession,
    private readonly area: Area,
    readonly device: string,
  ) {
    this.tenant.value = area.getItem(TENANT) ?? '';
  }

  /** A link in the address opens its form. */
  open(link: Link | null): void {
    this.#link.value = link;
    if (typeof link?.tenant === 'string') this.tenant.value = link.tenant;
    if (link?.kind === 'reset') this.form.value = 'reset';
    if (link?.kind === 'register') this.form.value = 'register';
  }

  turn(form: SignInForm): void {
    this.refused.value = null;
    this.wrong.value = new Set();
    this.form.value = form;
  }

  /** Somebody known signs in again: only the password is missing. */
  again(): void {
    const { known } = this.session;
    this.turn('sign_in');
    this.tenant.value = known.value?.tenant ?? this.tenant.value;
    this.email.value = known.value?.email ?? '';
  }

  guest(): Promise<boolean> {
    return this.#try(() => this.session.asGuest(this.#tenant, this.device));
  }

  async submit(): Promise<boolean> {
    const [tenant, email] = [this.#tenant, this.email.value.trim()];
    const password = this.password.value;
    const fields = { tenant, email, password, device: this.device };
    const link = this.#link.value;
    switch (this.form.value) {
      case 'sign_in':
        return this.#try(() => this.session.signIn(fields));
      case 'register':
        return this.#try(async () => {
          const invite = link?.kind === 'register' ? { invite: link.code } : {};
          await this.session.register({ ...fields, name: this.name.value.trim(), ...invite });
          this.#link.value = null;
        });
      case 'forgot': {
        const asked = await this.#try(() =>
          this.session.client.session!.forgotPassword({ tenant, email }),
        );
        if (asked) this.form.value = 'forgot_done';
        return asked;
      }
      case 'reset': {
        const set = await this.#try(() =>
          this.session.client.session!.resetPassword({ token: link?.code ?? '', new: password }),
        );
        if (set) this.turn('reset_done');
        return set;
      }
      default:
        return false;
    }
  }

  get #tenant(): string {
    return this.tenant.value.trim().toLowerCase();
  }

  async #try(run: () => Promise<unknown>): Promise<boolean> {
    if (this.isBusy.value) return false;
    this.isBusy.value = true;
    this.refused.value = null;
    this.wrong.value = new Set();
    try {
      await run();
      this.password.value = '';
      this.remember();
      return true;
    } catch (thrown) {
      this.refuse(thrown);
      return false;
    } finally {
      this.isBusy.value = false;
    }
  }

  /** The workspace, for the next visit. */
  remember(): void {
    this.area.setItem(TENANT, this.#tenant);
  }

  refuse(thrown: unknown): void {
    const { code, errors } = troubleOf(thrown);
    this.wrong.value = new Set(errors.map(({ path }) => path));
    const isLink = this.form.value === 'reset' || this.#link.value?.kind === 'register';
    this.refused.value = isLink && code === 'not_found' ? 'link_dead' : code;
  }
}
