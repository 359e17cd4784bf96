"""The words that a dependency in prose is made of, in the languages that specs are in.

Used by ``prose_grammar``. English, German, French, Spanish, Portuguese, Italian, Russian,
Vietnamese, Chinese, Japanese, Korean. A phrase is written as people write it; ``Phrases`` finds
the longest one that stands at a place, at the cost of its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Optional

from kiro_swarm.tasks.file.prose_tokens import Token, tokens_of


class Phrases:
    """A set of phrases, looked up by the tokens that they are made of."""

    def __init__(self, *written: str) -> None:
        self.written = tuple(phrase for group in written for phrase in group.split(","))
        self._phrases = {
            tuple(token.text for token in tokens_of(phrase)) for phrase in self.written
        }
        self._starts = {p[:n] for p in self._phrases for n in range(1, len(p) + 1)}

    def end(self, tokens: Sequence[Token], at: int) -> Optional[int]:
        """Where the longest phrase that begins at ``at`` ends, or None."""
        found: Optional[int] = None
        words: tuple[str, ...] = ()
        for stop in range(at, len(tokens)):
            words = (*words, tokens[stop].text)
            if words not in self._starts:
                break
            if words in self._phrases:
                found = stop + 1
        return found

    @property
    def first_words(self) -> frozenset[str]:
        """What its phrases begin with."""
        return frozenset(phrase[0] for phrase in self._phrases)

    def has(self, token: Token) -> bool:
        """Whether a token is a phrase by itself."""
        return (token.text,) in self._phrases


#: The verb says it all: what follows is waited for.
SURE: Final = Phrases(
    "depends on,depend on,dependent on,depending on,depends upon,dependency on,dependencies on"
    ",dependencies,depends,blocked by,blocked on,blocked until,wait for,waits for,waiting for"
    ",waits on,wait on,waiting on,wait until,builds on,build on,building on,builds upon"
    ",builds on top of"
    ",on top of,relies on,rely on,relying on,prerequisite,prerequisites,pre-requisite,predecessor"
    ",predecessors,contingent on,gated by,gated on,unblocked by,not before,not until"
    ",never before",
    "abhängig von,hängt ab von,hängt von,blockiert von,blockiert durch,wartet auf,baut auf,setzt"
    ",voraussetzung,voraussetzungen,basiert auf,erst nach,nicht vor",
    "dépend de,dépendant de,bloqué par,bloquée par,attend,repose sur,prérequis,pas avant",
    "depende de,depende da,depende do,depende del,depende de la,dependiente de"
    ",bloqueado por,bloqueada por,espera a,se basa en,requisito previo"
    ",no antes de,dependente de,aguarda,baseia-se em,pré-requisito",
    "dipende da,dipende dal,dipende dalla,dipendente da,bloccato da,attende,si basa su"
    ",prerequisito,prerequisiti",
    "зависит от,заблокировано,ждёт,ждет,опирается на",
    "依赖,依赖于,依賴,依賴於,等待,前置任务,前置任務,前置,前提,依存先,先行タスク,基于,基於"
    ",선행 작업",
    "phụ thuộc,phụ thuộc vào,bị chặn bởi,dựa trên,dựa vào,chờ,tiền đề",
)
#: Says it where more words do, too: the word for a task, its end, or nothing else in the clause.
MAYBE: Final = Phrases(
    "after,once,following,follows,until,unless,when,needs,need,needing,requires,require,requiring"
    ",assumes,assuming,as soon as,provided,based on,extends,continues,uses,consumes,only if"
    ",requisite,subsequent to",
    "nach,sobald,wenn,außer wenn,benötigt,braucht,erfordert,folgt auf,im anschluss an",
    "après,sauf si,à moins que"
    ",une fois,une fois que,quand,lorsque,dès que,nécessite,requiert,a besoin de,suit",
    "después de,tras,a menos que,salvo que,una vez,una vez que,cuando,necesita,requiere,sigue a",
    "depois de,após,a menos que,uma vez que,quando,precisa de,requer",
    "dopo,una volta,richiede,ha bisogno di,segue",
    "после,когда,требует,нужно,как только",
    "除非,需要,等,完成,先完成,先做,在,于,於,跟随,必要なのは",
    "sau,sau khi,trừ khi,cần,cần có,yêu cầu,khi,đợi",
)
#: Those of them after which a thing may be named before its task: `until the spike (2.1) passes`.
MOMENT: Final = Phrases(
    "after,once,until,unless,wait for,waits for,waiting for,wait until,not until,not before",
    "nach,sobald,erst nach,après,une fois,después de,una vez,depois de,após,dopo,после"
    ",等待,除非,sau,sau khi,trừ khi,chờ",
)
#: The other way round: what follows waits for the task that says so.
AHEAD_SURE: Final = Phrases(
    "unblocks,unlocks,feeds into,prerequisite for,prerequisite of,prerequisite to,precedes"
    ",must precede,dependency of,dependency for,required by,required for,needed by,needed for"
    ",foundation for,foundation of,basis for,basis of",
    "voraussetzung für,grundlage für,basis für,prérequis pour,requisito previo para"
    ",prerequisito per",
)
AHEAD_MAYBE: Final = Phrases(
    "before,blocks,enables,ahead of,prior to",
    "vor",
    "avant",
    "antes de",
    "prima di",
    "trước,trước khi,chặn",
)
#: Stand between the verb and the id; those of the second say that its end is meant.
BETWEEN: Final = Phrases(
    "the,of,for,on,both,all,also,that,work,has,have,und,und auf,von,der,die,das,dem,den"
    ",des,la,le,les,el,los"
    ",las,de,del,de la,du,que,di,da,do,a,o,il,lo,то,于,於"
    ",starting,starting on,starting with,beginning,moving to,moving on to,proceeding to"
    ",proceeding with,beginn von,de commencer,empezar",
    "vào,của,cả,các,bắt đầu,làm",
)
END_OF: Final = Phrases(
    "completion,completing,finishing,finish,output,outputs,result,results,end,delivery"
    ",merging,merge,implementing,outcome",
    "abschluss,fertigstellung,ende,ergebnis,ergebnisse,ergebnissen,ausgabe",
    "fin,achèvement,sortie,résultat,terminer,terminar,finalizar,completar,salida,resultado"
    ",resultados,conclusão,saída,completamento,risultato,завершения,окончания,terminada,terminé",
    "hoàn thành,hoàn tất,kết quả,kết quả của",
)
TASK: Final = Phrases(
    "task,tasks,sub-task,sub-tasks,subtask,subtasks,aufgabe,aufgaben,tâche,tâches,tarea,tareas"
    ",tarefa,tarefas,attività,compito,задача,задачи,задаче,задачу"
    ",задачей,задач,задачам,задачами",
    "任务,任務,タスク,작업,태스크",
    "nhiệm vụ,tác vụ,công việc",
)


def after_task(tokens: Sequence[Token], at: int) -> Optional[int]:
    """Where the word for a task in front of ``at`` begins, or None."""
    if at > 1 and tokens[at - 1].text in "(（":
        at -= 1  # `tasks (1, 2)`
    for start in range(at - 1, max(-1, at - 4), -1):
        if TASK.end(tokens, start) == at:
            return start
    return None


#: May as well be a step of something else.
STEP: Final = Phrases(
    "step,steps,item,items,schritt,schritte,schritten,étape,étapes,paso,pasos,passo,passos"
    ",etapa,etapas,шаг,шага,步骤,ステップ,手順,단계,number,no,nr"
)
AND: Final = Phrases(
    "and,or,và,hoặc,und,oder,et,ou,y,e,o,и,to,through,bis,a,和,与,及,と,や,및,와,과"
)
#: What says of an id that it is over and done with.
DONE: Final = Phrases(
    "complete,completed,completes,completion,done,finished,finishes,finish,merged,lands,landed"
    ",ready,there,exists,exist,in place,passes,green,approved,implemented,over,has landed,first",
    "fertig,erledigt,abgeschlossen,beendet,gemacht,steht,da",
    "terminé,terminée,terminés,terminées,fini,finie,achevé,achevée,fait,faite,prêt,prête",
    "terminada,terminado,terminadas,terminados,hecha,hecho,lista,listo,completada,completado"
    ",finalizada,finalizado,acabada,concluída,concluído,pronta,pronto,completata,completato"
    ",finita,finito,fatta,fatto,готова,готово,завершена,завершено,выполнена,сделана",
    "完成,完成后,完成後,做完,结束,完了,之后,之後,以后,后,後",
    "xong,hoàn thành,hoàn tất,đã xong",
)
IS: Final = Phrases(
    "is,are,đã,has,have,been,was,were,be,being,gets,get,ist,sind,wurde,wird,est,sont,soit,esté"
    ",está,estén,estiver,es,é,è,sia,sea,будет,ya,déjà,schon,already"
)
#: Stand behind the id, and say it all.
BEHIND: Final = Phrases(
    "must be done,must be complete,must be completed,must be finished,must be merged"
    ",must come first"
    ",must be done first,has to be done,has to be done first,has to be finished"
    ",has to be complete"
    ",has to come first,needs to be done,needs to be done first,needs to be complete"
    ",should be done first,comes first,goes first,is a prerequisite,is required,is needed"
    ",required,needed,first,is required first,are required,must exist,must exist first"
    ",must be in place"
    ",must be done before,must complete,must finish,must come,must run first,must land"
    ",must land first,must be merged first,must finish first"
    ",must both be done,must both complete,must both be complete,must both finish"
    ",must all be done,must all complete,must all be complete,must all finish"
    ",is the foundation,is a foundation,are the foundation,is the basis,are the basis"
    ",is the prerequisite,are prerequisites,are the prerequisites",
    "muss zuerst,muss fertig sein,vorausgesetzt,zuerst,ist die grundlage,ist die basis"
    ",ist voraussetzung,ist die voraussetzung,doit être terminée,doit être terminé"
    ",d'abord,est la base,est le prérequis,es la base,é a base,è la base"
    ",debe estar terminada,debe terminar,primero,prima,сначала",
    "完成后,完成後,完成之后,完成之後,之后,之後,做完后,结束后,以后",
    "に依存,に依存する,の後,のあと,の後に,完了後,の完了後,が完了,が完了したら"
    ",が終わったら,が終わって,が終わり,の終了後"
    ",を待つ,が前提,を前提,に続,が必要,完了待ち,の次に,より後,ができたら,の出力",
    "에 의존,이후,후에,다음에,완료 후,완료 이후,이 끝나,가 끝나,이 완료,가 완료,을 기다"
    ",를 기다,이 필요,가 필요",
    "phải xong,phải xong trước,phải hoàn thành,phải hoàn thành trước,phải làm trước,làm trước",
)
#: Stand behind the id with words between, in front of what is said of it: 1 が全体の前提である.
SAYS: Final = Phrases("が,は,是,为,為")
PREMISE: Final = Phrases(
    "前提,前提条件,前提です,前提である,前提だ,前提となる,前提になる"
)
#: What a clause that is about an order begins with.
LEAD: Final = Phrases(
    "only,this,it,that,task,comes,come,starts,start,started,runs,run,begins,begin,works"
    ",work,goes,go,do"
    ",doable,must,should,can,be,is,to,just,right,directly,immediately,not,and,but,then"
    ",done,please"
    ",implement,executed,scheduled,possible,will,happens,sequenced,erst,nur,dann,beginnt"
    ",startet,läuft"
    ",kommt,seulement,commence,vient,à,faire,solo,empieza,comienza,viene,hacer,só,começa"
    ",solo,inizia,только,начинать,只能,必须,要,请,must",
    "chỉ,phải,làm,thực hiện,chạy,bắt đầu,được,nên",
)
#: Those of them that speak of an order by themselves, so that a subject may stand in front.
ORDERED: Final = Phrases(
    "only,starts,start,started,comes,come,runs,run,begins,begin,scheduled,executed,sequenced,erst"
    ",beginnt,startet,kommt,commence,vient,empieza,comienza,viene,começa,inizia,начинать,только",
    "chỉ,bắt đầu,chạy,thực hiện",
)
#: In front of an id they say that it is none of a task.
OTHER: Final = Phrases(
    "requirement,requirements,req,property,properties,section,chapter,version,figure,table,phase"
    ",page,rule,issue,story,criterion,criteria,case,module,top,first,last,anforderung,exigence"
    ",requisito,件,求,性,章,节,節,第,版,図,表,号,項,条,항",
    "yêu cầu,phiên bản,mục,trang,bảng",
)
NOT: Final = Phrases(
    "not,never,cannot,don,don't,can't,nicht,nie,pas,jamais,no,nunca,não,non,не",
    "không,chưa",
    ",".join(
        f"{verb}{sign}t"
        for verb in (
            "can",
            "shouldn",
            "mustn",
            "won",
            "couldn",
            "wouldn",
            "isn",
            "doesn",
        )
        for sign in "'’"
    ),
)
#: Stand between ``NOT`` and the verb that it denies.
DUTY: Final = Phrases("need,needs,to,have,has,necessarily,cần,phải,thiết,nhất,có,hề")
#: What only may happen sets no order: `can start before 1 is done`.
MAY: Final = Phrases("can,may,could,might,có thể,thể,kann,können,peut,puede,pode,può")
BEGIN: Final = Phrases("start,begin,run,be,started,done,also,already,even,bắt,đầu,chạy")
#: May follow a mere number that is a task.
GOES_ON: Final = Phrases(
    "is,are,has,have,was,being,been,and,or,but,for,because,since,so,in,before,as,which,when,while"
    ",with,then,already,if,due,first,und,oder,weil,damit,auf,ab,voraus,et,ou,car,pour,y,o,porque"
    ",para,e,perché,per,и,чтобы,too,only,here,there,both"
)
#: What is counted: a number in front of it is no task.
UNITS: Final = Phrases(
    "second,seconds,s,ms,minute,minutes,min,mins,hour,hours,h,day,days,week,weeks,month,months"
    ",year,years,gb,gib,mb,mib,kb,kib,tb,x,times,percent,px,pt,or,of,more,other,others,point"
    ",points,pm,am,retries,attempts,release,released,ships,shipped,deprecated,support,lts"
)
#: In front of a verb they say the contrary, as ``NOT`` does.
WITHOUT: Final = Phrases(
    "without,không,chưa,doesn,don,isn,aren,needn,independent,longer,t,ohne,kein,keine,ne,sans,sin,sem"
    ",senza,без,不,无,無,没,非,未"
)
#: The same, behind it.
DENIED: Final = Phrases("しない,せず,しません,なし,하지 않,하지 않는")
