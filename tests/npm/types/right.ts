// What a site writes. It compiles as it stands.
import smartpushByDefault, {
  smartpush, type ClickEvent, type EndUser, type ErrorCode, type PopupState, type PushStatus, type SmartpushError, type Status,
  type StatusReason,
} from 'smartpush-web';
import 'smartpush-web/sw.js';

const router = {push(path: string) { return path.length; }};

export async function everyCall(): Promise<void> {
  const started: {version: number} = await smartpush('init', {brand: 'pk_1', host: 'https://push.example'});
  await smartpush('init', {
    brand: 'pk_1', host: 'https://push.example', serviceWorker: '/sw.js', scope: '/', language: 'pt-BR', requireConsent: true,
    takeOverSubscription: false, nonce: 'abc', iosInstallHint: {title: 'Install', steps: ['One']},
  });
  const nothing: void = await smartpush('consent', true);
  const status: Status = await smartpush('identify', 'user-1', {
    getToken: async () => (await fetch('/token')).text(),
    language: 'en',
    properties: {first_name: 'Ann', level: 3, vip: true, left: null, tags: ['a'], address: {city: 'Riga'}},
  });
  await smartpush('identify', 7, {getToken: () => 'token'});
  const queued: boolean = (await smartpush('event', 'deposit', {amount: 20})).queued;
  await smartpush('action', 'opened-lobby');
  const markers: string[] = await smartpush('markers', 'add', ['NEWS']);
  await smartpush('markers', 'replace', 'NEWS');
  await smartpush('markers', 'clear');
  const optedOut: boolean = (await smartpush('optOut', true)).optedOut;
  const asked: Status = await smartpush('requestPushPermission');
  await smartpush('openPreferences');
  const hinted: boolean = await smartpush('showInstallHint');
  await smartpush('suspendPopups', true);
  await smartpush('suspendPopups');
  await smartpush('debug', true);
  await smartpush('logout');
  await smartpushByDefault('getStatus');
  await window.smartpush('getStatus');
  console.log(started, nothing, status, queued, markers, optedOut, asked, hinted);
}

export function everyEvent(): void {
  smartpush('on', 'status', ({status, reason, permission, endUser, optedOut, tookOver}) => {
    const known: PushStatus | null = status;
    const why: StatusReason = reason;
    const user: EndUser | null = endUser;
    console.log(known, why, permission === 'unsupported', user?.externalId, optedOut, tookOver);
  });
  smartpush('on', 'popup', ({offer, state}) => {
    const seen: PopupState = state;
    console.log(offer, seen);
  });
  smartpush('on', 'push', ({id, title, body, url}) => console.log(id, title, body, url));
  const route = (click: ClickEvent): boolean => {
    if (click.source === 'push') console.log(click.action, click.title);
    click.preventDefault();
    return router.push(click.url) > 0;
  };
  smartpush('on', 'click', route);
  smartpush('off', 'click', route);
  smartpush('off', 'click');
  smartpush('on', 'error', ({code, message}) => {
    const known: ErrorCode = code;
    console.log(known === 'gesture_required', message);
  });
}

export function failure(error: SmartpushError): string {
  return error.code + (error.status ?? 0) + (error.fields?.['name']?.[0] ?? '');
}

// Every status by name: one that is added to the types and not here fails to compile.
export const told: Record<PushStatus, string> = {
  ask: 'ask', allowed: 'on', blocked: 'off', not_supported: 'none', suspended: 'elsewhere',
};
