// A phone, as far as the React Native guide's client asks for one: all modules that it imports, in one.
export const phone = {word: -1, token: 'fXk2:APA91b' + 'a'.repeat(120), secret: false, kept: {}};

export const AuthorizationStatus = {NOT_DETERMINED: -1, DENIED: 0, AUTHORIZED: 1, PROVISIONAL: 2, EPHEMERAL: 3};
export const getMessaging = () => phone;
export const getToken = async () => phone.token;
export const getAPNSToken = async () => 'apns';
export const registerDeviceForRemoteMessages = async () => {};
export const setAutoInitEnabled = async () => {};
export const deleteToken = async () => {
  phone.token = 'fXk3:APA91b' + 'b'.repeat(120);
};
export const hasPermission = async () => phone.word;
export const requestPermission = async () => {
  phone.word = 1;
  return 1;
};

export const ACCESSIBLE = {};
export const getGenericPassword = async () => phone.secret;
export const setGenericPassword = async (username, password) => {
  phone.secret = {username, password};
};
export const resetGenericPassword = async () => {
  phone.secret = false;
};

export default {
  getItem: async (key) => phone.kept[key] ?? null,
  setItem: async (key, value) => {
    phone.kept[key] = value;
  },
};

export const AppState = {currentState: 'active', addEventListener() {}};
export const PermissionsAndroid = {};
export const Platform = {OS: 'ios', Version: '17.4'};
