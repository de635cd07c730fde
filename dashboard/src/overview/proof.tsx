import type { StatusAnswer } from '../../../functions/src/ops/schemas.ts';
import { hrefOf } from '../route.ts';
import { useTexts } from '../texts/language.tsx';
import { proofSentence, recordSentence } from '../texts/words.ts';

/** What is known for certain: that all stores are equal, and that the record is as it was written. */
export const Proof = ({ status: { proof, verified, at } }: { status: StatusAnswer }) => {
  const texts = useTexts();
  return (
    <>
      <p className="small footnote">{proofSentence(proof, at, texts)}</p>
      <p className="small footnote">
        {recordSentence(verified, at, texts)} <a href={hrefOf('record')}>{texts.t('recordTitle')}</a>
      </p>
    </>
  );
};
