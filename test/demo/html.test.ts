import * as fc from 'fast-check'
import t from 'tap'
import { Html, html } from '../../lib/demo/html.ts'

t.test('a value in a template is escaped', async (t) => {
  t.equal(String(html`<p title="${'"\''}">${'<b>&'}</p>`), '<p title="&#34;&#39;">&#60;b&#62;&#38;</p>')
  t.equal(String(html`${0}`), '0')
})

t.test('markup made by a template is not escaped again', async (t) => {
  const items = ['a', '<'].map((item) => html`<i>${item}</i>`)
  t.equal(String(html`<p>${items}</p>`), '<p><i>a</i><i>&#60;</i></p>')
  t.ok(html`` instanceof Html)
})

t.test('null, undefined and false in a template leave nothing', async (t) => {
  t.equal(String(html`a${null}b${undefined}c${false}d${[]}`), 'abcd')
})

t.test('no text in a template can leave its element or its attribute', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const [, attribute = '', content = ''] =
        /^<p title="(.*)">(.*)<\/p>$/su.exec(String(html`<p title="${text}">${text}</p>`)) ?? []
      return !/[<>"']/.test(attribute + content) && decode(content) === text
    }),
  )
})

function decode(markup: string): string {
  return markup.replace(/&#(\d+);/g, (_entity, code: string) => String.fromCharCode(Number(code)))
}
