/** The most rows of one filter, whatever `limit` says. */
export const PAGE_ROWS = 500
/** The most filters of one request. */
export const MAX_FILTERS = 20
/** The longest name of a subscription, in characters. */
export const MAX_NAME_LENGTH = 250
/** The longest message of a client, in bytes. */
export const MAX_MESSAGE_BYTES = 1_048_576
