import { z } from 'zod'

/*
 * What `batch/v1 Job` of Kubernetes 1.33 takes (https://kubernetes.io/docs/reference/kubernetes-api/), as far as the
 * manifest in contrib uses it, written down by hand: a field of another name or type is refused, as by
 * `kubectl apply --validate=strict`. No package has these schemas in less than 10 MB.
 */
const positive = z.number().int().positive()
const text = z.string().min(1)
const metadata = z.strictObject({ name: z.string().regex(/^[a-z][-a-z0-9]*$/) })
const quantity = z.string().regex(/^\d+(?:m|[KMGT]i)?$/)

const failureRule = z
  .strictObject({
    action: z.enum(['FailJob', 'FailIndex', 'Ignore', 'Count']),
    onExitCodes: z
      .strictObject({
        containerName: text.optional(),
        operator: z.enum(['In', 'NotIn']),
        values: z.array(z.number().int().min(0).max(255)).min(1),
      })
      .optional(),
    onPodConditions: z.array(z.strictObject({ type: text, status: z.enum(['True', 'False', 'Unknown']) })).optional(),
  })
  .refine((rule) => (rule.onExitCodes === undefined) !== (rule.onPodConditions === undefined), 'one of the two')

const environment = z.union([
  z.strictObject({ name: text, value: z.string() }),
  z.strictObject({
    name: text,
    valueFrom: z.strictObject({ secretKeyRef: z.strictObject({ name: text, key: text, optional: z.boolean() }) }),
  }),
])

const container = z.strictObject({
  name: text,
  image: text,
  command: z.array(text),
  args: z.array(text),
  env: z.array(environment),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: quantity, memory: quantity }),
    limits: z.strictObject({ memory: quantity }),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    capabilities: z.strictObject({ drop: z.array(text) }),
  }),
  volumeMounts: z.array(z.strictObject({ name: text, mountPath: z.string().startsWith('/') })),
})

const pod = z.strictObject({
  // The failure policy wants a pod that is not restarted.
  restartPolicy: z.literal('Never'),
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: positive,
  securityContext: z.strictObject({
    runAsNonRoot: z.boolean(),
    runAsUser: positive,
    runAsGroup: positive,
    fsGroup: positive,
    fsGroupChangePolicy: z.enum(['OnRootMismatch', 'Always']),
    seccompProfile: z.strictObject({ type: z.enum(['RuntimeDefault', 'Unconfined', 'Localhost']) }),
  }),
  containers: z.tuple([container]),
  volumes: z.array(
    z.union([
      z.strictObject({ name: text, persistentVolumeClaim: z.strictObject({ claimName: text }) }),
      z.strictObject({ name: text, emptyDir: z.strictObject({ sizeLimit: quantity }) }),
    ]),
  ),
})

/** An indexed job. `backoffLimitPerIndex` and `maxFailedIndexes` go with that mode only. */
export const jobSchema = z.strictObject({
  apiVersion: z.literal('batch/v1'),
  kind: z.literal('Job'),
  metadata,
  spec: z.strictObject({
    completionMode: z.literal('Indexed'),
    completions: positive,
    parallelism: positive,
    backoffLimitPerIndex: z.number().int().nonnegative(),
    maxFailedIndexes: z.number().int().nonnegative(),
    podFailurePolicy: z.strictObject({ rules: z.array(failureRule).max(20) }),
    ttlSecondsAfterFinished: positive,
    template: z.strictObject({ spec: pod }),
  }),
})
