// What the blocks of code in README.md and docs/*.md take from around them: imports that are plain, and code of the reader's.

declare const createHeraldClient: typeof import('herald-hub-client').createHeraldClient;
declare const herald: import('herald-hub-client').HeraldClient<{ 'https://example.com/books/1': { title: string } }>;
declare function show(what: unknown): void;
declare function loadBooks(): void;
declare function fetchToken(options: { fresh: boolean }): Promise<string>;
declare function freshToken(): Promise<string>;

declare const Controller: typeof import('@nestjs/common').Controller;
declare const Injectable: typeof import('@nestjs/common').Injectable;
declare const Module: typeof import('@nestjs/common').Module;
declare const Sse: typeof import('@nestjs/common').Sse;
declare const ManagedSse: typeof import('herald-nest').ManagedSse;
type Observable<T> = import('rxjs').Observable<T>;
type FastifyRequest = import('fastify').FastifyRequest;

declare class PricesService {
  changes(): Observable<MessageEvent>;
}

declare const Post: typeof import('@nestjs/common').Post;
declare const Param: typeof import('@nestjs/common').Param;
declare const Body: typeof import('@nestjs/common').Body;
declare const UseGuards: typeof import('@nestjs/common').UseGuards;

declare const SubscribeGuard: typeof import('herald-nest').SubscribeGuard;
declare const InjectHub: typeof import('herald-nest').InjectHub;
declare const CustomerGrants: new () => import('herald-nest').GrantsResolver;
declare const SessionsModule: new () => object;
declare const OrdersController: new () => object;
declare class LoggedIn {
  canActivate(): boolean;
}
interface Sessions {
  nameOf(request: import('herald-nest').HubRequest): string | undefined;
}
interface Order {
  readonly customer: string;
}

type HubNotice = import('herald-nest').HubNotice;
type HubService = import('herald-nest').HubService;
type Grants = import('herald-nest').Grants;
declare const GrantsResolver: typeof import('herald-nest').GrantsResolver;
declare const HeraldModule: typeof import('herald-nest').HeraldModule;
declare function openOurJournal(): Promise<import('herald-nest').Journal>;
declare function openOurState(): Promise<import('herald-nest').SharedState>;
declare const PublishGuard: typeof import('herald-nest').PublishGuard;
declare class NotBanned {
  canActivate(): boolean;
}
declare const UsersModule: new () => object;
declare class UserStore {
  bySession(request: FastifyRequest): Promise<User | undefined>;
}
interface User {
  readonly name: string;
  readonly id: number;
  mayWrite(topic: string): boolean;
  mayRead(topic: string): boolean;
}
