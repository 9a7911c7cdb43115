{% macro life_stages() -%}
    {{ return(['YA', 'OA', 'YF', 'OF', 'PE', 'OT']) }}
{%- endmacro %}

{# A given life stage, 'XX' where it is missing or not one of the six. #}
{% macro known_life_stage(life_stage) -%}
    case
        when {{ life_stage }} in ({% for stage in life_stages() %}'{{ stage }}'{{ ', ' if not loop.last }}{% endfor %})
            then {{ life_stage }}
        else 'XX'
    end
{%- endmacro %}

{# Sort-of-Real's six life stages for a Complete Journey household.

   | children | age     | life stage |
   |----------|---------|------------|
   | no       | 19 - 34 | YA, young adults |
   | no       | 35 - 64 | OA, older adults |
   | no       | 65+     | PE, pensioners |
   | yes      | 19 - 44 | YF, young families |
   | yes      | 45 - 64 | OF, older families |
   | yes      | 65+     | OT, other: a pensioner's household with children |

   A household has children when either column says so. Where the age is given and both
   columns are null, the household is OT; where the age is null, it is 'XX'. #}
{% macro complete_journey_life_stage(age_band, household_composition, children_count) -%}
    {%- set children -%}
    (
                coalesce({{ household_composition }} like '% Kids' and {{ household_composition }} not like '%No Kids', false)
                or coalesce({{ children_count }} <> '0', false)
            )
    {%- endset -%}
    case
            when {{ age_band }} is null then 'XX'
            when {{ household_composition }} is null and {{ children_count }} is null then 'OT'
            when {{ children }} and {{ age_band }} in ('19-24', '25-34', '35-44') then 'YF'
            when {{ children }} and {{ age_band }} in ('45-54', '55-64') then 'OF'
            when {{ children }} then 'OT'
            when {{ age_band }} in ('19-24', '25-34') then 'YA'
            when {{ age_band }} in ('35-44', '45-54', '55-64') then 'OA'
            when {{ age_band }} = '65+' then 'PE'
            else 'OT'
        end
{%- endmacro %}
