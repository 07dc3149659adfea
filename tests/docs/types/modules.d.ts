// What the React Native guide uses of other modules, as their documentation declares it; they are not installed here.

declare module '@react-native-firebase/messaging' {
  export interface Messaging {
    readonly isAutoInitEnabled: boolean;
  }
  export interface RemoteMessage {
    messageId?: string;
    data?: {[key: string]: string | object};
    notification?: {title?: string; body?: string};
  }
  export const AuthorizationStatus: {
    readonly NOT_DETERMINED: -1;
    readonly DENIED: 0;
    readonly AUTHORIZED: 1;
    readonly PROVISIONAL: 2;
    readonly EPHEMERAL: 3;
  };
  type Authorization = -1 | 0 | 1 | 2 | 3;
  export function getMessaging(): Messaging;
  export function getToken(messaging: Messaging): Promise<string>;
  export function deleteToken(messaging: Messaging): Promise<void>;
  export function getAPNSToken(messaging: Messaging): Promise<string | null>;
  export function registerDeviceForRemoteMessages(messaging: Messaging): Promise<void>;
  export function setAutoInitEnabled(messaging: Messaging, enabled: boolean): Promise<void>;
  export function hasPermission(messaging: Messaging): Promise<Authorization>;
  export function requestPermission(messaging: Messaging): Promise<Authorization>;
  export function onTokenRefresh(messaging: Messaging, listener: (token: string) => unknown): () => void;
  export function onMessage(messaging: Messaging, listener: (message: RemoteMessage) => unknown): () => void;
  export function onNotificationOpenedApp(messaging: Messaging, listener: (message: RemoteMessage) => unknown): () => void;
  export function getInitialNotification(messaging: Messaging): Promise<RemoteMessage | null>;
  export function setBackgroundMessageHandler(
    messaging: Messaging, handler: (message: RemoteMessage) => Promise<unknown>,
  ): void;
}

declare module '@react-native-async-storage/async-storage' {
  const AsyncStorage: {
    getItem(key: string): Promise<string | null>;
    setItem(key: string, value: string): Promise<void>;
  };
  export default AsyncStorage;
}

declare module 'react-native-keychain' {
  export const enum ACCESSIBLE {
    AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY = 'AccessibleAfterFirstUnlockThisDeviceOnly',
  }
  export interface Options {
    service?: string;
    accessible?: ACCESSIBLE;
  }
  export function getGenericPassword(
    options?: Options,
  ): Promise<false | {username: string; password: string; service: string; storage: string}>;
  export function setGenericPassword(
    username: string, password: string, options?: Options,
  ): Promise<false | {service: string; storage: string}>;
  export function resetGenericPassword(options?: Options): Promise<boolean>;
}

declare module 'react-native' {
  type AppStateStatus = 'active' | 'background' | 'inactive' | 'unknown' | 'extension';
  export const AppState: {
    readonly currentState: AppStateStatus;
    addEventListener(type: 'change', listener: (state: AppStateStatus) => void): {remove(): void};
  };
  export const Linking: {openURL(url: string): Promise<unknown>};
  export const Platform: {readonly OS: 'ios' | 'android' | 'macos' | 'windows' | 'web'; readonly Version: number | string};
  export const PermissionsAndroid: {
    request(permission: 'android.permission.POST_NOTIFICATIONS'): Promise<'granted' | 'denied' | 'never_ask_again'>;
  };
  export const Alert: {
    alert(
      title: string,
      message?: string,
      buttons?: {text?: string; onPress?: (value?: string) => void; style?: 'default' | 'cancel' | 'destructive'}[],
      options?: {cancelable?: boolean; onDismiss?: () => void},
    ): void;
  };
}
