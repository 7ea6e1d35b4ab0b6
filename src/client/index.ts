/** The client library: the HTTP API, rooms that are watched live, and the state that their events make. */
export { hasContent, textOf, toolResultText } from '../domain/content.js';
export type { ContentBlock } from '../domain/content.js';
export { concurrencies, mayWrite } from '../domain/conversation.js';
export type { Concurrency, ConversationView, MemberRole, Message, User } from '../domain/conversation.js';
export { hasDocumentEnded } from '../domain/document.js';
export { documentPhases } from '../domain/document-phase.js';
export type {
  CitedText,
  Document,
  DocumentHead,
  DocumentProgress,
  DocumentResult,
  DocumentStatus,
  Entity,
  Section,
  SectionHead,
  SectionStatus,
  SectionWithSource,
} from '../domain/document.js';
export type { DocumentPhase } from '../domain/document-phase.js';
export { citationMark, citationsIn } from '../domain/citations.js';
export type { Citation } from '../domain/citations.js';
export { hasEnded } from '../domain/generation.js';
export type {
  Generation,
  GenerationError,
  GenerationHead,
  GenerationOptions,
  HtmlBlock,
} from '../domain/generation.js';
export type { ToolDefinition } from '../domain/tools.js';
export type { Model } from '../domain/models.js';
export { conversationRoom, documentRoom } from '../wire/room.js';
export type { Room } from '../wire/room.js';
export type { Cursor } from '../wire/cursor.js';
export type {
  AnySnapshot,
  DocumentSnapshot,
  PresentUser,
  RoomEvent,
  RoomSnapshot,
  UserSnapshot,
} from '../wire/room-events.js';
export type { BudgetView as Budget } from '../wire/budget.js';
export type { ConversationUsage, DayUsage, ModelUsage, UsageFigures, UsageReport } from '../wire/usage.js';
export { TokencastHttp } from './http.js';
export type { TokencastHttpOptions } from './http-transport.js';
export type {
  AcceptedMessage,
  ConversationChanges,
  EditedMessage,
  Invite,
  Member,
  NewContent,
  NewConversation,
  NewDocument,
  NewMessage,
  PageQuery,
  RequestOptions,
  Session,
  UploadProgress,
  UsageQuery,
} from './http-types.js';
export { fromDocumentSnapshot, reduceDocument, sectionRun, sectionText } from './document-state.js';
export type { DocumentState, LiveRun } from './document-state.js';
export { ask, watchGeneration } from './ask.js';
export { GenerationHandle } from './generation-handle.js';
export type { GenerationReference } from './generation-handle.js';
export type { GenerationHandleEvents, GenerationView } from './generation-view.js';
export type { FinishedGeneration } from './generation-state.js';
export type { TextHandler } from './text-handlers.js';
export { SessionTokens } from './session-tokens.js';
export type { Transport } from './line.js';
export { patiently } from './patiently.js';
export { RoomConnection } from './room-connection.js';
export type { CaughtUp } from './catch-up.js';
export type { ConnectionState, RoomConnectionOptions, RoomView } from './room-view.js';
export { retryDelayMs } from './retry-delay.js';
export { RoomHistory } from './room-history.js';
export type { HistoryState } from './room-history.js';
export { fromSnapshot, reduceRoom, withHistory } from './room-state.js';
export type { RoomState, Typist } from './room-state.js';
export { blockKey } from './live-generation.js';
export type {
  EndedGeneration,
  GenerationProgress,
  LiveGeneration,
  StructuredObject,
  Warning,
  Witnessed,
} from './live-generation.js';
export { structuredObjects } from './structured-objects.js';
export { fromUserSnapshot, reduceUser } from './user-state.js';
export type { UserState } from './user-state.js';
export { watchConversation, watchDocument, watchUser } from './watch.js';
export { GenerationFailed, TokencastError } from './tokencast-error.js';
export type { ClientErrorCode } from './tokencast-error.js';
export type { WritingPace } from './writing-pace.js';
