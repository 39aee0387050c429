import * as regexp from 'eslint-plugin-regexp'
import tseslint from 'typescript-eslint'

import { noDeadMembers } from './scripts/no-dead-members.mjs'

export default tseslint.config(
  { ignores: ['dist', 'dist-bench', 'coverage', 'node_modules'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.test.json' } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/require-await': 'off',
      'no-empty': 'error',
      eqeqeq: 'error',
    },
  },
  {
    // Tests read frames and files of others: what they are is what is being tested.
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
    },
  },
  {
    // Much of what is matched was written by strangers: no expression may take more than linear time.
    files: ['src/**/*.ts'],
    plugins: { regexp },
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/demo/**', 'src/test-relay/**'],
    rules: {
      'no-restricted-globals': ['error', { name: 'process', message: 'only cli/ and demo/ touch the process' }],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'the core receives its clock' },
        { object: 'Math', property: 'random', message: 'the core receives its randomness' },
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { house: { rules: { 'no-dead-members': noDeadMembers } } },
    rules: { 'house/no-dead-members': 'error' },
  },
  {
    // What becomes of an event is decided, written and counted in one place.
    files: ['src/**/*.ts'],
    ignores: [
      'src/run/fate.ts',
      'src/store/target-state.ts',
      'src/store/spool-rows.ts',
      'src/store/spool-statements.ts',
      // Upgrades fill in columns; no event changes its state.
      'src/store/schema.ts',
    ],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "Identifier[name='spoolRows']", message: 'only fate.ts changes the state of an event' },
        {
          selector: 'TemplateElement[value.raw=/\\b(?:INSERT INTO|UPDATE|DELETE FROM) spool\\b/]',
          message: 'the rows of the spool are written in store/spool-rows.ts',
        },
        {
          selector: 'Literal[value=/\\b(?:INSERT INTO|UPDATE|DELETE FROM) spool\\b/]',
          message: 'the rows of the spool are written in store/spool-rows.ts',
        },
      ],
    },
  },
)
