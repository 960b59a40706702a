/**
 * Who may do what, who is who, and how much of it: ACLs, SCRAM users, client quotas.
 *
 * Guarantees one outcome per item. A password never leaves this process: it is salted and hashed here (RFC 5802).
 */
import { pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import {
  AlterClientQuotas,
  AlterUserScramCredentials,
  CreateAcls,
  DeleteAcls,
  DescribeAcls,
  DescribeClientQuotas,
  DescribeUserScramCredentials,
} from '@kafka-template/protocol';
import type { AdminCallOptions, AdminContext, ItemOutcome } from './admin-context.js';
import { adminRequest, check, errorOf } from './admin-request.js';
import { itemError } from './topic-admin.js';

const RESOURCE_TYPES = [
  'unknown',
  'any',
  'topic',
  'group',
  'cluster',
  'transactional-id',
  'delegation-token',
  'user',
] as const;
const PATTERN_TYPES = ['unknown', 'any', 'match', 'literal', 'prefixed'] as const;
const PERMISSIONS = ['unknown', 'any', 'deny', 'allow'] as const;
const OPERATIONS = [
  'unknown',
  'any',
  'all',
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'cluster-action',
  'describe-configs',
  'alter-configs',
  'idempotent-write',
  'create-tokens',
  'describe-tokens',
  'two-phase-commit',
] as const;
const MECHANISMS = ['unknown', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
/** As Kafka's own tools do it; the least a broker takes. */
const SCRAM_ITERATIONS = 4_096;
const SALT_BYTES = 24;
const DIGESTS = { 'SCRAM-SHA-256': ['sha256', 32], 'SCRAM-SHA-512': ['sha512', 64] } as const;

/** What an ACL is about. */
export type AclResourceType = Exclude<(typeof RESOURCE_TYPES)[number], 'unknown' | 'any'>;
/** What it allows or denies. */
export type AclOperation = Exclude<(typeof OPERATIONS)[number], 'unknown' | 'any'>;
/** A SCRAM mechanism. */
export type ScramMechanism = keyof typeof DIGESTS;

/** An access rule. */
export interface Acl {
  readonly resourceType: AclResourceType;
  /** A name, or `*` for all. */
  readonly resourceName: string;
  /** Whether the name is meant literally (default) or as a beginning. */
  readonly patternType?: 'literal' | 'prefixed';
  /** `User:alice`, or `User:*`. */
  readonly principal: string;
  /** An address; default `*`. */
  readonly host?: string;
  readonly operation: AclOperation;
  /** Default `allow`. */
  readonly permission?: 'allow' | 'deny';
}

/** Which ACLs; what is left out matches everything. */
export interface AclFilter {
  readonly resourceType?: AclResourceType;
  readonly resourceName?: string;
  /** `match`: every rule that applies to the resource, literal, prefixed or `*`. Default: both kinds, by equal name. */
  readonly patternType?: 'literal' | 'prefixed' | 'match';
  readonly principal?: string;
  readonly host?: string;
  readonly operation?: AclOperation;
  readonly permission?: 'allow' | 'deny';
}

/** What became of an ACL. */
export interface AclOutcome extends ItemOutcome {
  readonly acl: Required<Acl>;
}

/** What became of a filter: the rules that were deleted by it. */
export interface DeletedAcls extends ItemOutcome {
  readonly deleted: readonly AclOutcome[];
}

/** The SCRAM credentials of a user. */
export interface ScramUser extends ItemOutcome {
  readonly user: string;
  readonly credentials: readonly { readonly mechanism: ScramMechanism; readonly iterations: number }[];
}

/** A credential to set (with a password) or to delete (without). */
export interface ScramChange {
  readonly user: string;
  readonly mechanism: ScramMechanism;
  /** Absent: the credential is deleted. */
  readonly password?: string;
  /** 4096 to 16384. Default 4096. */
  readonly iterations?: number;
}

/** What became of a user. */
export interface ScramOutcome extends ItemOutcome {
  readonly user: string;
}

/** Whom a quota is for: `user`, `client-id`, `ip` → name; null for the default of all without one of their own. */
export type QuotaEntity = Readonly<Record<string, string | null>>;

/** The quotas of an entity, by Kafka's names (`producer_byte_rate`). */
export interface ClientQuotas {
  readonly entity: QuotaEntity;
  readonly quotas: Readonly<Record<string, number>>;
}

/** Changes of an entity's quotas; null deletes one. */
export interface QuotaChanges {
  readonly entity: QuotaEntity;
  readonly quotas: Readonly<Record<string, number | null>>;
}

/** What became of them. */
export interface QuotaOutcome extends ItemOutcome {
  readonly entity: QuotaEntity;
}

/** Options of {@link SecurityAdmin.describeClientQuotas}. */
export interface QuotaFilter extends AdminCallOptions {
  /** Entity type → its name, null for its default, undefined for any. Default: everything. */
  readonly entity?: Readonly<Record<string, string | null | undefined>>;
  /** Only entities with no further components. Default false. */
  readonly strict?: boolean;
}

/** Security of a cluster. */
export class SecurityAdmin {
  constructor(private readonly context: AdminContext) {}

  /** The access rules that match. @throws KafkaError SECURITY_DISABLED without an authorizer */
  describeAcls(filter: AclFilter = {}, options: AdminCallOptions = {}): Promise<Required<Acl>[]> {
    const what = 'Describing ACLs';
    return adminRequest(this.context, {
      what,
      target: 'any',
      api: DescribeAcls,
      options,
      body: toFilter(filter),
      read: ({ errorCode, errorMessage, resources }) => {
        check(errorCode, what, errorMessage);
        return resources.flatMap(({ acls, ...resource }) => acls.map((acl) => toAcl({ ...resource, ...acl })));
      },
    });
  }

  /** Creates access rules. */
  createAcls(acls: readonly Acl[], options: AdminCallOptions = {}): Promise<AclOutcome[]> {
    const what = 'Creating ACLs';
    const complete = acls.map(withDefaults);
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: CreateAcls,
      options,
      body: {
        creations: complete.map((acl) => ({
          resourceType: RESOURCE_TYPES.indexOf(acl.resourceType),
          resourceName: acl.resourceName,
          resourcePatternType: PATTERN_TYPES.indexOf(acl.patternType),
          principal: acl.principal,
          host: acl.host,
          operation: OPERATIONS.indexOf(acl.operation),
          permissionType: PERMISSIONS.indexOf(acl.permission),
        })),
      },
      read: ({ results }) => complete.map((acl, index) => ({ acl, error: itemError(results[index], what) })),
    });
  }

  /** Deletes the access rules that match any of the filters; one outcome per filter. */
  deleteAcls(filters: readonly AclFilter[], options: AdminCallOptions = {}): Promise<DeletedAcls[]> {
    const what = 'Deleting ACLs';
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: DeleteAcls,
      options,
      body: { filters: filters.map(toFilter) },
      read: ({ filterResults }) =>
        filters.map((_, index) => {
          const result = filterResults[index];
          const matching = result?.matchingAcls ?? [];
          return {
            error: itemError(result, what),
            deleted: matching.map((each) => ({ acl: toAcl(each), error: itemError(each, what) })),
          };
        }),
    });
  }

  /** SCRAM credentials of the given (default: all) users; RESOURCE_NOT_FOUND is an outcome. */
  describeUserScramCredentials(
    users: readonly string[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<ScramUser[]> {
    const what = 'Describing SCRAM users';
    return adminRequest(this.context, {
      what,
      target: 'any',
      api: DescribeUserScramCredentials,
      options,
      body: { users: users && users.map((name) => ({ name })) },
      read: ({ errorCode, errorMessage, results }) => {
        check(errorCode, what, errorMessage);
        return results.map(({ user, credentialInfos, ...result }) => ({
          user,
          credentials: credentialInfos.map(({ mechanism, iterations }) => ({
            mechanism: MECHANISMS[mechanism] as ScramMechanism,
            iterations,
          })),
          error: errorOf(result.errorCode, `${what}: ${user}`, result.errorMessage),
        }));
      },
    });
  }

  /** Sets and deletes SCRAM credentials; one outcome per user, who may occur once (else DUPLICATE_RESOURCE). */
  async alterUserScramCredentials(
    changes: readonly ScramChange[],
    options: AdminCallOptions = {},
  ): Promise<ScramOutcome[]> {
    const what = 'Changing SCRAM users';
    const upsertions = await Promise.all(changes.filter(({ password }) => password !== undefined).map(salted));
    const deletions = changes
      .filter(({ password }) => password === undefined)
      .map(({ user, mechanism }) => ({ name: user, mechanism: MECHANISMS.indexOf(mechanism) }));
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: AlterUserScramCredentials,
      options,
      body: { upsertions, deletions },
      read: ({ results }) =>
        [...new Set(changes.map(({ user }) => user))].map((user) => ({
          user,
          error: itemError(
            results.find((each) => each.user === user),
            `${what}: ${user}`,
          ),
        })),
    });
  }

  /** The quotas of users, client ids and addresses that match. */
  describeClientQuotas(filter: QuotaFilter = {}): Promise<ClientQuotas[]> {
    const what = 'Describing quotas';
    const components = Object.entries(filter.entity ?? {}).map(([entityType, name]) => ({
      entityType,
      matchType: name === undefined ? 2 : name === null ? 1 : 0,
      match: name ?? null,
    }));
    return adminRequest(this.context, {
      what,
      target: 'any',
      api: DescribeClientQuotas,
      options: filter,
      body: { components, strict: filter.strict ?? false },
      read: ({ errorCode, errorMessage, entries }) => {
        check(errorCode, what, errorMessage);
        return (entries ?? []).map(({ entity, values }) => ({
          entity: toEntity(entity),
          quotas: Object.fromEntries(values.map(({ key, value }) => [key, value])),
        }));
      },
    });
  }

  /** Sets and deletes quotas; one outcome per entity. */
  alterClientQuotas(
    changes: readonly QuotaChanges[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<QuotaOutcome[]> {
    const what = 'Changing quotas';
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: AlterClientQuotas,
      options,
      body: {
        entries: changes.map(({ entity, quotas }) => ({
          entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
          ops: Object.entries(quotas).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
        })),
        validateOnly: options.validateOnly ?? false,
      },
      read: ({ entries }) =>
        changes.map(({ entity }) => {
          const answer = entries.find((each) => isSameEntity(toEntity(each.entity), entity));
          return { entity, error: itemError(answer, what) };
        }),
    });
  }
}

function withDefaults(acl: Acl): Required<Acl> {
  return { patternType: 'literal', host: '*', permission: 'allow', ...acl };
}

/** The number of a word; 1 (any) for one that is left out. */
function numberOf(words: readonly string[], word: string | undefined): number {
  return word === undefined ? 1 : words.indexOf(word);
}

function toFilter(filter: AclFilter) {
  return {
    resourceTypeFilter: numberOf(RESOURCE_TYPES, filter.resourceType),
    resourceNameFilter: filter.resourceName ?? null,
    patternTypeFilter: numberOf(PATTERN_TYPES, filter.patternType),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: numberOf(OPERATIONS, filter.operation),
    permissionType: numberOf(PERMISSIONS, filter.permission),
  };
}

function toAcl(each: {
  resourceType: number;
  resourceName: string;
  patternType: number;
  principal: string;
  host: string;
  operation: number;
  permissionType: number;
}): Required<Acl> {
  return {
    resourceType: RESOURCE_TYPES[each.resourceType] as AclResourceType,
    resourceName: each.resourceName,
    patternType: PATTERN_TYPES[each.patternType] as 'literal' | 'prefixed',
    principal: each.principal,
    host: each.host,
    operation: OPERATIONS[each.operation] as AclOperation,
    permission: PERMISSIONS[each.permissionType] as 'allow' | 'deny',
  };
}

async function salted({ user, mechanism, password = '', iterations = SCRAM_ITERATIONS }: ScramChange) {
  const salt = randomBytes(SALT_BYTES);
  const [digest, bytes] = DIGESTS[mechanism];
  const saltedPassword = await promisify(pbkdf2)(password.normalize('NFKC'), salt, iterations, bytes, digest);
  return { name: user, mechanism: MECHANISMS.indexOf(mechanism), iterations, salt, saltedPassword };
}

function toEntity(parts: readonly { entityType: string; entityName: string | null }[]): QuotaEntity {
  return Object.fromEntries(parts.map(({ entityType, entityName }) => [entityType, entityName]));
}

function isSameEntity(one: QuotaEntity, other: QuotaEntity): boolean {
  const types = Object.keys(one);
  return types.length === Object.keys(other).length && types.every((type) => one[type] === other[type]);
}
