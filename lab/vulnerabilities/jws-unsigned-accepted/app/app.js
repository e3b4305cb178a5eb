// jws with a secret.

const crypto = require('node:crypto')
const jws = require('jws')
const { version } = require('jws/package.json')
const { serve } = require('./contract')

const secret = crypto.randomBytes(32).toString('hex')

// Version 2 takes the token and the key; version 3 wants the algorithm between them.
const isOld = version.startsWith('2.')
const verified = token => isOld ? jws.verify(token, secret) : jws.verify(token, 'HS256', secret)

serve({
  issue: payload => jws.sign({ header: { alg: 'HS256', typ: 'JWT' }, payload, secret }),
  verify: token => {
    if (!verified(token)) throw new Error('invalid')
    return jws.decode(token).payload
  }
})
