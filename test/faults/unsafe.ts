/** What must not reach a terminal: controls but for line ends, bidi controls, zero-width characters (rule 7). */
export const UNSAFE = /[^\P{Cc}\n]|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|\p{Cs}/u
