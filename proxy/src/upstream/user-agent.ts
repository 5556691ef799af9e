// The headers that every request to an upstream carries.

/** `identity`: what is stored and hashed is what the registry has, not a coding of it. */
export const BASE_HEADERS: Readonly<Record<string, string>> = {
  'user-agent': 'mica/0.1.0',
  'accept-encoding': 'identity',
};
