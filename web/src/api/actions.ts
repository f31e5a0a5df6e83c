import type { AboutRequest, ApprovalRequest, Compose, CountersignRequest, EnrolmentRequest, FreezeRequest, JoinRequest, PersonRequest, PolicyRequest, PromotionRequest, ThresholdRequest } from './schema'

/** What somebody wants to sign. The operator process makes the statement and the sheet from it. */
export type SignableAction =
  | { kind: 'job'; body: Compose }
  | { kind: 'approval'; body: ApprovalRequest }
  /** What endpoints look at. */
  | { kind: 'policy'; body: PolicyRequest }
  | { kind: 'policy_approval'; body: ApprovalRequest }
  | { kind: 'policy_withdrawal'; body: AboutRequest }
  | { kind: 'promotion'; body: PromotionRequest }
  | { kind: 'freeze'; body: FreezeRequest }
  | { kind: 'thaw'; body: AboutRequest }
  | { kind: 'veto'; body: AboutRequest }
  | { kind: 'withdrawal'; body: AboutRequest }
  | { kind: 'enrolment'; body: EnrolmentRequest }
  | { kind: 'person'; body: PersonRequest }
  | { kind: 'threshold'; body: ThresholdRequest }
  /** The first bundle of an organisation, as it was composed before. */
  | { kind: 'genesis' }
  /** The same, by another who founds it. */
  | { kind: 'countersign'; body: CountersignRequest }
  /** Enters an organisation with this console's first login. */
  | { kind: 'join'; body: JoinRequest }
  /** With a passkey: lets this console's connection speak for the person. */
  | { kind: 'login' }
