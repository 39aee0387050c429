import { describe, expect, it } from 'vitest'

import { parseRelayMessage } from '../../src/relay/socket/relay-message.ts'

describe('parseRelayMessage', () => {
  it.each([
    ['["EVENT","s",{"id":1}]', { type: 'event', subscription: 's', row: { id: 1 } }],
    ['["EVENT","s",null]', { type: 'event', subscription: 's', row: null }],
    ['["EOSE","s"]', { type: 'eose', subscription: 's' }],
    ['["EOSE","s","finish"]', { type: 'eose', subscription: 's', hint: 'finish' }],
    ['["EOSE","s","more"]', { type: 'eose', subscription: 's', hint: 'more' }],
    ['["EOSE","s","auth-required: hidden"]', { type: 'eose', subscription: 's' }],
    ['["EOSE","s",true]', { type: 'eose', subscription: 's' }],
    ['["CLOSED","s","error: x"]', { type: 'closed', subscription: 's', reason: 'error: x' }],
    ['["CLOSED","s",7]', { type: 'closed', subscription: 's', reason: '' }],
    ['["OK","id",true,""]', { type: 'ok', eventId: 'id', accepted: true, text: '' }],
    ['["OK","id",false]', { type: 'ok', eventId: 'id', accepted: false, text: '' }],
    ['["NOTICE","hello"]', { type: 'notice', text: 'hello' }],
    ['["AUTH","challenge"]', { type: 'auth', challenge: 'challenge' }],
    ['["NEG-MSG","n","61ff"]', { type: 'neg-msg', subscription: 'n', hex: '61ff' }],
    ['["NEG-ERR","n","blocked: x"]', { type: 'neg-err', subscription: 'n', reason: 'blocked: x' }],
    ['["NEG-ERR","n","blocked: x",500]', { type: 'neg-err', subscription: 'n', reason: 'blocked: x', cap: 500 }],
    ['["NEG-ERR","n","blocked: x","500"]', { type: 'neg-err', subscription: 'n', reason: 'blocked: x', cap: 500 }],
    ['["NEG-ERR","n","blocked: x","many"]', { type: 'neg-err', subscription: 'n', reason: 'blocked: x' }],
  ])('reads %s', (frame, message) => {
    expect(parseRelayMessage(frame)).toEqual(message)
  })

  it.each([
    ['an OK whose verdict is not a boolean', '["OK","id","true",""]'],
    ['an EVENT without an event', '["EVENT","s"]'],
    ['a NEG-MSG that is not hex', '["NEG-MSG","n","6"]'],
    ['a label that is a property of every object', '["constructor","s"]'],
    ['a subscription that is not a text', '["EOSE",1]'],
    ['an object', '{"0":"EOSE","1":"s"}'],
    ['what is not JSON', 'EOSE'],
  ])('does not read %s', (_, frame) => {
    expect(parseRelayMessage(frame)).toBeUndefined()
  })

  it('cuts the texts of strangers at 1,000 characters', () => {
    expect(parseRelayMessage(JSON.stringify(['NOTICE', 'x'.repeat(5_000)]))).toEqual({
      type: 'notice',
      text: 'x'.repeat(1_000),
    })
  })

  it('never cuts a challenge, which would be signed', () => {
    expect(parseRelayMessage(JSON.stringify(['AUTH', 'x'.repeat(5_000)]))).toBeUndefined()
  })
})
