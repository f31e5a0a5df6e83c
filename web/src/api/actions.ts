import type { AboutRequest, ApprovalRequest, Compose, EnrolmentRequest, FreezeRequest, PromotionRequest } from './schema'

/** What somebody wants to sign. The operator process makes the statement and the sheet from it. */
export type SignableAction =
  | { kind: 'job'; body: Compose }
  | { kind: 'approval'; body: ApprovalRequest }
  | { kind: 'promotion'; body: PromotionRequest }
  | { kind: 'freeze'; body: FreezeRequest }
  | { kind: 'thaw'; body: AboutRequest }
  | { kind: 'veto'; body: AboutRequest }
  | { kind: 'withdrawal'; body: AboutRequest }
  | { kind: 'enrolment'; body: EnrolmentRequest }
  /** With a passkey: lets this console's connection speak for the person. */
  | { kind: 'login' }
