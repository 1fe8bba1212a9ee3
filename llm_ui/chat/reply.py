"""What a page asks that one operation answers: an answer's origin, a search, prompts, agents, links, projects."""

from llm_ui.chat import agent_ops, bench_ops, place_ops, reply_ops
from llm_ui.chat.agents import agents, knowledge
from llm_ui.chat.bench import bench
from llm_ui.chat.cutting import cutting
from llm_ui.chat.differing import differing
from llm_ui.chat.documents import project
from llm_ui.chat.explain import explain
from llm_ui.chat.fetches import fetches
from llm_ui.chat.find import find
from llm_ui.chat.follow import Op
from llm_ui.chat.library import prompts
from llm_ui.chat.limits import weigh
from llm_ui.chat.links import links
from llm_ui.chat.members import TellPeople, change_places, members
from llm_ui.chat.memories import memory
from llm_ui.chat.parts import parts
from llm_ui.chat.places import places
from llm_ui.chat.preferences import preferences
from llm_ui.chat.request_code import request_code
from llm_ui.chat.summaries import summary
from llm_ui.chat.told import told
from llm_ui.llm_client import UserClient
from llm_ui.ui.page import PageContext

OfProject = reply_ops.Projects | reply_ops.Documents | reply_ops.Fetches | reply_ops.Cuttings | bench_ops.Bench


async def reply(
    context: PageContext, client: UserClient, asked: reply_ops.Replies | bench_ops.Bench, tell_people: TellPeople
) -> Op:
    """Do what is asked and return the operation that tells it. Raises our errors.

    `tell_people` is told for whom there are other projects now.
    """
    match asked:
        case reply_ops.OfAnswer():
            return {"answer": str(asked.answer), **await _of_answer(context, client, asked)}
        case reply_ops.Search():
            return await find(context, asked)
        case reply_ops.ListPrompts() | reply_ops.SavePrompt() | reply_ops.UsePrompt() | reply_ops.DeletePrompt():
            return await prompts(context, asked)
        case reply_ops.ListLinks() | reply_ops.Share() | reply_ops.Revoke():
            return await links(context, asked)
        case place_ops.ListPlaces():
            return await places(context, asked)
        case place_ops.ChangePlaces():
            return await change_places(context, asked, tell_people)
        case reply_ops.ReadPreferences() | reply_ops.WantFollowUps():
            return await preferences(context, asked)
        case reply_ops.ListMemories() | reply_ops.SaveMemory() | reply_ops.DeleteMemory() | reply_ops.UseMemory():
            return await memory(context, asked)
        case reply_ops.ReadSummary() | reply_ops.EditSummary():
            return await summary(context, asked)
        case _:
            return await _of_place(context, client, asked)


async def _of_place(
    context: PageContext,
    client: UserClient,
    asked: agent_ops.Agents | reply_ops.Told | place_ops.ListMembers | place_ops.WeighKeeping | OfProject,
) -> Op:
    match asked:
        case reply_ops.ReadTold() | reply_ops.SavePersonal() | reply_ops.ListVersions() | reply_ops.RestoreVersion():
            return await told(context, asked)
        case agent_ops.ListAgents() | agent_ops.SaveAgent() | agent_ops.DeleteAgent() | agent_ops.RestoreAgent():
            return await agents(context, asked)
        case agent_ops.ListKnowledge():
            return await knowledge(context, asked)
        case place_ops.WeighKeeping():
            return await weigh(context, asked)
        case place_ops.ListMembers():
            return await members(context, asked)
        case _:
            return await _of_project(context, client, asked)


async def _of_project(context: PageContext, client: UserClient, asked: OfProject) -> Op:
    match asked:
        case bench_ops.OfBench():
            return await bench(context, client, asked)
        case reply_ops.ReadCutting() | reply_ops.PreviewCutting() | reply_ops.SaveCutting():
            return await cutting(context, client, asked)
        case reply_ops.FetchDocument() | reply_ops.FetchAgain() | reply_ops.RetryFetch() | reply_ops.RemoveFetch():
            return await fetches(context, asked)
        case _:
            return await project(context, asked)


async def _of_answer(context: PageContext, client: UserClient, asked: reply_ops.OfAnswers) -> Op:
    match asked:
        case reply_ops.Explain():
            return {"op": "explained", **await explain(context, asked.answer)}
        case reply_ops.ReadParts():
            return {"op": "parts", "parts": await parts(context, asked.answer)}
        case reply_ops.ReadDifference():
            return {"op": "difference", **await differing(context, asked.answer, asked.other)}
        case reply_ops.CopyRequest():
            return {"op": "request", "code": await request_code(context, client, asked.answer, asked.language)}
