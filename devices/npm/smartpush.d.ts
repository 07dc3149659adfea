// Every call, option, event and status of the smartpush web SDK. The words: docs/sdk.md.

/** Where this pair of end user and browser stands, as the server sees it. */
export type PushStatus = 'ask' | 'allowed' | 'blocked' | 'not_supported' | 'suspended';

/** Why a status is what it is; empty where there is nothing to add. */
export type StatusReason =
  | ''
  | 'permission_default_after_prompt'
  | 'subscription_missing'
  | 'insecure_context'
  | 'no_api'
  | 'ios_not_installed'
  | 'worker_failed'
  | 'contradictory'
  | 'subscribe_refused'
  | 'show_refused'
  | 'foreign_subscription';

/** Who is here. */
export interface EndUser {
  id: string;
  anonymous: boolean;
  /** The id given to `identify`, null for an anonymous visitor. */
  externalId: string | null;
}

export interface Status {
  /** Null before the first session has been answered. */
  status: PushStatus | null;
  reason: StatusReason;
  /** The browser's own word. */
  permission: NotificationPermission | 'unsupported';
  endUser: EndUser | null;
  /** Whether the end user has opted out of messages; null before the server has told. */
  optedOut: boolean | null;
}

/** The words of the hint that tells how to install the site on iPhone and iPad. */
export interface InstallHint {
  title: string;
  text: string;
  steps: string[];
  close_label: string;
  /** The language of these words, a BCP 47 tag. */
  language: string;
  direction: 'ltr' | 'rtl';
  colours: {background?: string; text?: string; button?: string; button_text?: string};
}

export interface InitOptions {
  /** The brand's public key, `pk_…`. */
  brand: string;
  /** The https address of your smartpush server. */
  host: string;
  /** The file on your own origin that imports our worker. Default `/push/smartpush-sw.js`. */
  serviceWorker?: string;
  /** The scope to register it with. Default: its own folder. */
  scope?: string;
  /** A BCP 47 tag for end users of whom nothing better is known. */
  language?: string;
  /** Send, store and register nothing before `smartpush('consent', true)`. Default false. */
  requireConsent?: boolean;
  /** Replace a push subscription that another service made on the same worker. Default false. */
  takeOverSubscription?: boolean;
  /** Show once, where it helps, how to install the site on iPhone and iPad: `true`, or words of your own. Default false. */
  iosInstallHint?: boolean | Partial<InstallHint>;
  /** A nonce of your `style-src`; browsers without constructed style sheets need it. */
  nonce?: string;
}

/** What may be told of an end user or of an event: JSON, nothing else. */
export type PropertyValue = string | number | boolean | null | PropertyValue[] | {[name: string]: PropertyValue};
export type Properties = {[name: string]: PropertyValue};

export interface IdentifyOptions {
  /** Returns a fresh identity token (JWT). Needed where the brand asks for proof; called again before it runs out. */
  getToken?: () => string | Promise<string>;
  language?: string;
  properties?: Properties;
}

/** `queued: true`: the server was not reached, the item is kept and sent later, once. */
export interface Submitted {
  queued: boolean;
}

export type PopupState = 'shown' | 'allowed' | 'blocked' | 'later' | 'closed' | 'dismissed' | 'clicked' | 'no_answer';

export interface PopupEvent {
  /** The offer's id, or `install_hint`. */
  offer: string;
  state: PopupState;
}

export interface PushEventDetail {
  id: string;
  title: string;
  body: string;
  url: string;
}

interface Click {
  url: string;
  /** Say that you follow the click yourself, for example with your router; returning `true` does the same. */
  preventDefault(): void;
}

/** A click on a notification or in a popup; `source` tells which. */
export type ClickEvent =
  | (Click & {source: 'push'; id: string; action: string; title: string})
  | (Click & {source: 'popup'; id: string});

export interface ErrorEventDetail {
  code: ErrorCode;
  message: string;
}

/** What handlers of `smartpush('on', ...)` get. */
export interface Events {
  /** `tookOver: true` when a foreign subscription has just been replaced, as `takeOverSubscription` asked. */
  status: Status & {tookOver?: boolean};
  popup: PopupEvent;
  push: PushEventDetail;
  click: ClickEvent;
  error: ErrorEventDetail;
}

/** A `click` handler that returns `true` has taken the click over. */
export type Handler<Name extends keyof Events> = (detail: Events[Name]) => unknown;

/**
 * The codes that a page meets; docs/sdk.md has all of them, with what to do. Those behind `internal` tell `error`
 * handlers what was left out of a call that succeeded.
 */
export type ErrorCode =
  | 'unknown_command'
  | 'invalid_argument'
  | 'unknown_option'
  | 'invalid_option'
  | 'host_invalid'
  | 'host_unreachable'
  | 'host_foreign'
  | 'host_blocked'
  | 'brand_unknown'
  | 'origin_not_allowed'
  | 'worker_missing'
  | 'worker_redirected'
  | 'worker_not_script'
  | 'worker_empty'
  | 'worker_foreign'
  | 'worker_broken'
  | 'worker_invalid'
  | 'worker_origin'
  | 'worker_scope'
  | 'not_initialised'
  | 'already_initialised'
  | 'gesture_required'
  | 'consent_required'
  | 'get_token_failed'
  | 'identity_required'
  | 'identity_refused'
  | 'network'
  | 'end_user_changed'
  | 'service_worker_failed'
  | 'no_page'
  | 'internal'
  | 'shortened'
  | 'too_long'
  | 'too_many'
  | 'too_large'
  | 'wrong_type'
  | 'not_known'
  | 'unreadable'
  | 'no_offset'
  | 'out_of_range'
  | 'characters'
  | 'property_type'
  | 'unproven'
  | 'malformed'
  | (string & {});

/** What a failed call rejects with. */
export interface SmartpushError extends Error {
  code: ErrorCode;
  /** The server's HTTP status, where it answered. */
  status?: number;
  /** What is wrong with which field, for `invalid_request`. */
  fields?: Record<string, string[]>;
}

export type MarkerOperation = 'add' | 'remove' | 'replace' | 'clear';

export interface Smartpush {
  /** Start; once a page. */
  (command: 'init', options: InitOptions): Promise<{version: number}>;
  /** The end user's answer to your consent question; needed with `requireConsent`, and `false` takes it back. */
  (command: 'consent', given: boolean): Promise<void>;
  /** Say who is here, by your own id of them. */
  (command: 'identify', externalId: string | number, options?: IdentifyOptions): Promise<Status>;
  /** From here on an anonymous visitor is here. */
  (command: 'logout'): Promise<Status>;
  /** Something the end user did. */
  (command: 'event', name: string, properties?: Properties): Promise<Submitted>;
  /** The same, as a client action. */
  (command: 'action', name: string, properties?: Properties): Promise<Submitted>;
  /** Forget all of the end user's JS markers; resolves with those that are left. */
  (command: 'markers', operation: 'clear'): Promise<string[]>;
  /** Change the end user's JS markers; resolves with the markers after it. */
  (command: 'markers', operation: MarkerOperation, markers: string | string[]): Promise<string[]>;
  /** `true`: no more messages to this end user; `false`: messages again. */
  (command: 'optOut', optedOut: boolean): Promise<{optedOut: boolean}>;
  /** Ask the browser's own question. Call it directly in a click handler, with no `await` before it. */
  (command: 'requestPushPermission'): Promise<Status>;
  (command: 'getStatus'): Promise<Status>;
  /** Open the page on which the end user changes categories and opts out. Call it directly in a click handler. */
  (command: 'openPreferences'): Promise<void>;
  /** Hold popups back, and let them come again with `false`. */
  (command: 'suspendPopups', suspended?: boolean): Promise<void>;
  /** Tell how to install the site, on iPhone and iPad; resolves with whether it was shown. */
  (command: 'showInstallHint'): Promise<boolean>;
  /** Write to the console what happens. */
  (command: 'debug', on?: boolean): Promise<void>;
  /** Be told. */
  <Name extends keyof Events>(command: 'on', event: Name, handler: Handler<Name>): Promise<void>;
  /** No more; without a handler, none of that event are told any more. */
  <Name extends keyof Events>(command: 'off', event: Name, handler?: Handler<Name>): Promise<void>;
}

/**
 * The SDK. Importing it is enough: no script tag is needed. Calls that the inline snippet has queued are carried out first.
 * On a server that renders pages every call rejects with the code `no_page`, and nothing has to catch it.
 */
export const smartpush: Smartpush;
export default smartpush;

declare global {
  interface Window {
    smartpush: Smartpush;
  }
}
