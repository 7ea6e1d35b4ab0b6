/** What an operator can set about the HTTP API. */
export interface ApiSettings {
  production: boolean;
  /** Folder of the built web app; without an index.html in it there is none. */
  webRoot: string;
  /** Where browsers reach us, without a slash at its end. */
  publicUrl: string | undefined;
  /** Opens `/metrics` and `/admin/*`; without it they are open outside production, closed in it. */
  adminToken: string | undefined;
  /** Origins whose browsers may call; empty: only our own. */
  corsOrigins: '*' | readonly string[];
  /** As Express takes it (https://expressjs.com/en/guide/behind-proxies.html). */
  trustProxy: boolean | number | readonly string[];
  limits: {
    /** Longest message, in UTF-16 code units. */
    maxMessageChars: number;
    userMessagesPerMinute: number;
    sessionsPerHourPerIp: number;
  };
}
