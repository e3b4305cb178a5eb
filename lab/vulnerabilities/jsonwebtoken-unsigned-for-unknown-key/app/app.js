// jsonwebtoken with a function that looks the key up by its id, as its documentation has it, and no algorithms.

const crypto = require('node:crypto')
const jwt = require('jsonwebtoken')
const { serve } = require('./contract')

const secrets = new Map([['current', crypto.randomBytes(32).toString('hex')]])
const secretOf = (header, found) => found(null, secrets.get(header.kid))

serve({
  issue: claims => jwt.sign(claims, secrets.get('current'), { keyid: 'current' }),
  verify: token => new Promise((resolve, reject) => {
    jwt.verify(token, secretOf, (error, claims) => error ? reject(error) : resolve(claims))
  })
})
