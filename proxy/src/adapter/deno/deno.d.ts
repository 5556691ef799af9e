// The part of Deno's API that the adapter uses. The whole of it would clash with Node's types.
// Source: https://docs.deno.com/api/deno/~/Deno.serve

declare namespace Deno {
  interface NetAddr {
    readonly transport: 'tcp' | 'udp';
    readonly hostname: string;
    readonly port: number;
  }

  interface ServeHandlerInfo {
    readonly remoteAddr: NetAddr;
    readonly completed: Promise<void>;
  }

  interface ServeOptions {
    readonly hostname: string;
    readonly port: number;
    readonly cert?: string;
    readonly key?: string;
    readonly signal?: AbortSignal;
    readonly onListen?: (address: NetAddr) => void;
    readonly onError?: (error: unknown) => Response | Promise<Response>;
  }

  interface HttpServer {
    readonly addr: NetAddr;
    readonly finished: Promise<void>;
    shutdown(): Promise<void>;
  }

  function serve(
    options: ServeOptions,
    handler: (request: Request, info: ServeHandlerInfo) => Response | Promise<Response>,
  ): HttpServer;
}
